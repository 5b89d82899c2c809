"""All that a handler may touch."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from mockserver.accounts import Accounts, Bill, Caller
from mockserver.clock import Clock
from mockserver.ids import Ids
from mockserver.jobs import Jobs
from mockserver.mind import Mind, Tuned
from mockserver.records import Policy, Seen
from mockserver.reply import Refuse
from mockserver.retention import Broom, Keeping, ends, keeping
from mockserver.store import Store
from reference_model.checksum import WEIGHTS
from spec import Operation, Spec
from spec.model import Model

if TYPE_CHECKING:
    from reference_model.engine import Job, Step

PAID = "gpt-4"  # how the ids begin of the models that only paying callers have


@dataclass(frozen=True)
class House:
    """What lives as long as the server."""

    spec: Spec
    mind: Mind
    store: Store
    clock: Clock
    ids: Ids
    accounts: Accounts
    jobs: Jobs
    meter: Callable[[str, Bill], None] = lambda organization, bill: None
    """Told which organisation an answer is billed to."""

    @cached_property
    def broom(self) -> Broom:
        """Throws away what has come to its end."""
        return Broom(self.store, self.accounts)

    @cached_property
    def fingerprint(self) -> str:
        """Names what answers: the same spec, edition and weights have the same one."""
        sums = (WEIGHTS / "SHA256SUMS").read_text()
        served = f"{self.spec.edition} {self.spec.sha256} {sums}"
        return f"fp_{hashlib.sha256(served.encode()).hexdigest()[:10]}"


@dataclass(frozen=True)
class Context:
    """One request's view of the house."""

    house: House
    operation: Operation
    caller: Caller
    shape: Callable[["Job"], "Job"] = lambda job: job
    """The sampling seam: deviations reshape a job here."""
    origin: str = ""
    """Scheme and host by which the caller reached us."""
    tuned: Tuned | None = None
    """The model that speaks, where it is a tuned one."""

    @property
    def tokenizer(self) -> Any:
        return self.house.mind.tokenizer

    @property
    def delay(self) -> float:
        """Seconds before each token that is generated for the caller."""
        return self.caller.known.delay

    @property
    def keeping(self) -> Keeping:
        """What may be kept of this request."""
        return keeping(self.operation, self.policy, self.house.spec)

    @property
    def policy(self) -> Policy:
        """What the operator lets the caller ask and generate."""
        return self.caller.organization.policy

    @property
    def clock(self) -> Clock:
        """The time for the caller's organisation, which it may have moved."""
        return self.house.clock.later(self.caller.organization.moved)

    @property
    def now(self) -> int:
        return self.clock.now()

    def refuse(self, name: str, **words: object) -> Refuse:
        """The refusal ``name``, ready to be raised."""
        refusal = self.house.spec.refusals[name]
        return Refuse(refusal.worded(**words) if words else refusal)

    def id(self) -> str:
        """A new id of the kind that this operation gives."""
        return self.house.ids.new(self.operation.id_prefix or "")

    def models(self) -> dict[str, Model]:
        """Every model that the caller has today, the organisation's own included."""
        base = self._base()
        tuned = self.house.store.all("model", self.caller.organization.id)
        return base | {
            row["id"]: replace(
                base[row["base"]],
                id=row["id"],
                aliases={},
                owner=self.caller.organization.id,
                created=row["created"],
            )
            for row in tuned
            if row["base"] in base
        }

    def _base(self) -> dict[str, Model]:
        """The models that were not tuned; these no store is asked for."""
        today = self.clock.today().isoformat()
        return {
            id: model
            for id, model in self.house.spec.models.items()
            if (not model.shutdown or today < model.shutdown)
            and (self.caller.pays or not id.startswith(PAID))
        }

    def model(self, id: str) -> Model:
        """The model ``id``. Raises Refuse where there is none."""
        found = self._base().get(id) or self.models().get(id)
        if found is None:
            raise self.refuse("model-not-found", model=id[:100])
        return found

    def speaking(self, id: str) -> "Context":
        """The same view, with the weights of the model ``id``."""
        store = self.house.store
        if id in self.house.spec.models:
            return self
        row = store.get("model", self.caller.organization.id, id)
        if row is None or "weights" not in row:
            return self

        def read() -> bytes:
            try:
                return b"".join(store.read(id, row["bytes"]))
            except LookupError:  # deleted meanwhile
                raise self.refuse("model-not-found", model=id) from None

        return replace(self, tuned=Tuned(row["weights"], read))

    def snapshot(self, id: str) -> str:
        """The id that an answer of the model ``id`` names."""
        return self.model(id).snapshot(self.clock.today())

    def fold(self, tokens: Sequence[int]) -> list[int]:
        """Token ids of any published tokenizer as ids of ours."""
        return [self.tokenizer.fold(token) for token in tokens]

    def generate(self, job: "Job") -> Iterator["Step"]:
        """Steps of ``job``, scripted and paced where the control page says so."""
        script = self.house.accounts.scripted(self.caller)
        if script:
            job = replace(job, script=script)
        if self.keeping is Keeping.NOTHING:
            job = replace(job, remembered=False)
        return self.house.mind.submit(self.shape(job), self.tuned)

    def score(self, tokens: Sequence[int], top: int) -> list["Step | None"]:
        return self.house.mind.score(tokens, top, self.tuned)

    def saw(self, prompt: Sequence[int], suffix: Sequence[int] = ()) -> None:
        """Note what the model was asked."""
        until = ends(self.operation, self.house.spec, self.now)
        self.house.accounts.saw(
            self.caller, Seen(tuple(prompt), tuple(suffix), until), self.keeping
        )

    def charge(self, user: str | None) -> None:
        """Ask to be let in, before work that costs. Raises Refuse where it may not."""
        self.house.accounts.charge(self.caller, user)

    def admit_prompt(self, tokens: int) -> None:
        """Raises Refuse where the operator lets no prompt be so long."""
        most = self.policy.prompt_tokens
        if most is not None and tokens > most:
            raise self.refuse("prompt-limit", limit=most, prompt=tokens)

    def spend(
        self, prompt: int, completion: int, user: str | None, model: str | None = None
    ) -> None:
        """Count the tokens of one answer."""
        bill = Bill(prompt, completion, user, model)
        self.house.accounts.spend(self.caller, bill)
        self.house.meter(self.caller.organization.id, bill)
