"""Replies of the engine, written down: what every machine gives, in float32."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from reference_model.checksum import proven
from reference_model.engine import Engine
from reference_model.job import Job, Step
from reference_model.model import load_model
from reference_model.sampling import Sampling
from reference_model.tokenizer import Tokenizer, load_tokenizer

TOKENS = 12
SETTINGS: Mapping[str, Mapping[str, Any]] = {
    "greedy": {"sampling": Sampling(temperature=0)},
    "drawn": {"seed": 7},
    "hot": {"sampling": Sampling(temperature=1.7, top_p=0.9), "seed": 8},
    "cool": {"sampling": Sampling(temperature=0.7, top_p=0.5), "seed": 2**40},
    "penalised": {
        "sampling": Sampling(0, frequency_penalty=1.5, presence_penalty=0.5),
        "stop_at_end": False,
    },
    "repetitive": {"sampling": Sampling(frequency_penalty=-1.5), "seed": -1},
    "biased": {
        "sampling": Sampling(logit_bias=((11, 2.5), (13, -100.0), (198, 7.25))),
        "seed": 9,
    },
    "alternatives": {"sampling": Sampling(temperature=0), "top": 5},
}


@dataclass(frozen=True)
class Golden:
    """A job and its steps, and those of its prompt if the reply echoes it."""

    name: str
    job: Job
    echo: bool = False
    prompt: Sequence[Step | None] = ()
    steps: Sequence[Step] = ()

    @classmethod
    def read(cls, record: Mapping[str, Any]) -> "Golden":
        """The inverse of ``record``."""
        told = dict(record["settings"])
        told["script"] = tuple(told.get("script", ()))
        told["sampling"] = _sampling(record["sampling"])
        return cls(
            record["name"],
            Job(tuple(record["prompt"]), **told),
            "echo" in record,
            (None, *_steps(record["echo"])) if "echo" in record else (),
            _steps(record["reply"]),
        )

    def answered(self, engine: Engine) -> "Golden":
        """The same with what the engine says now."""
        job = self.job
        prompt = tuple(engine.score(job.prompt, job.top)) if self.echo else ()
        steps = tuple(engine.submit(job))
        return Golden(self.name, job, self.echo, prompt, steps)

    def record(self) -> dict[str, Any]:
        """As JSON: what differs from the defaults of a job, and the reply."""
        job, plain = self.job, Job((), TOKENS)
        told = ("max_tokens", "seed", "top", "stop_at_end", "script")
        kept = [name for name in told if getattr(job, name) != getattr(plain, name)]
        return {
            "name": self.name,
            "prompt": list(job.prompt),
            "sampling": asdict(job.sampling),
            "settings": {name: getattr(job, name) for name in ("max_tokens", *kept)},
            **({"echo": _columns(self.prompt)} if self.echo else {}),
            "reply": _columns(self.steps),
        }


def write(path: Path) -> None:
    """Record all cases anew."""
    tokenizer = load_tokenizer()
    engine = Engine(load_model(), tokenizer.end_of_text)
    path.write_text(document([case.answered(engine) for case in cases(tokenizer)]))
    engine.close()


def document(goldens: Iterable[Golden]) -> str:
    """The text of a file, one case a line."""
    lines = ",\n".join(json.dumps(golden.record()) for golden in goldens)
    return f'{{"weights": "{weights()}", "cases": [\n{lines}\n]}}\n'


def read(path: Path) -> tuple[str, list[Golden]]:
    """The sum of the weights that replied, and the replies."""
    told = json.loads(path.read_text())
    return told["weights"], list(map(Golden.read, told["cases"]))


def weights() -> str:
    return hashlib.sha256(proven("model.safetensors")).hexdigest()


def cases(tokenizer: Tokenizer) -> Iterator[Golden]:
    """What is asked."""
    prompts = _prompts(tokenizer)
    for (of, prompt), (how, told) in product(prompts.items(), SETTINGS.items()):
        yield Golden(f"{of}, {how}", Job(prompt, TOKENS, **told))
    story, greedy = prompts["story"], SETTINGS["greedy"]
    script = tuple(tokenizer.encode(" purple clock"))
    yield Golden("echo", Job(story, TOKENS, **greedy, top=3), echo=True)
    yield Golden("echo alone", Job(prompts["talk"], 0), echo=True)
    yield Golden("scripted", Job(story, TOKENS, script=script, seed=3))
    yield Golden("beyond the end", Job(story, 40, **greedy, stop_at_end=False))


def _prompts(tokenizer: Tokenizer) -> dict[str, tuple[int, ...]]:
    asked = {"role": "user", "content": "Say this is a test", "name": "Anna"}
    told = {"role": "system", "content": "Be kind."}
    answer = {"role": "assistant", "content": "This is a test."}
    again = {"role": "user", "content": "What is the capital of France?"}
    before, after = map(tokenizer.encode, ("The old painter", " in the kitchen."))
    return {
        "story": tuple(tokenizer.encode("Once upon a time")),
        "letters": tuple(tokenizer.encode("é 中 😀 " * 20)),
        "talk": tuple(tokenizer.chat([told, asked, answer, again])),
        "question": tuple(tokenizer.chat([asked])),
        "hole": tuple(tokenizer.infill(before, after)),
    }


def _columns(steps: Sequence[Step | None]) -> dict[str, Any]:
    """Steps side by side. None, for the first token of a text, is left out."""
    known = [step for step in steps if step]
    top = [[[id, _digits(value)] for id, value in step.top] for step in known]
    return {
        "tokens": [step.token for step in known],
        "logprobs": [_digits(step.logprob) for step in known],
        **({"top": top} if any(top) else {}),
    }


def _steps(columns: Mapping[str, Any]) -> tuple[Step, ...]:
    tokens, logprobs = columns["tokens"], map(_float32, columns["logprobs"])
    top = columns.get("top", [[]] * len(tokens))
    best = (tuple((id, _float32(value)) for id, value in pairs) for pairs in top)
    return tuple(map(Step, tokens, logprobs, best))


def _sampling(told: Mapping[str, Any]) -> Sampling:
    biases = ((id, amount) for id, amount in told["logit_bias"])
    return Sampling(**{**told, "logit_bias": tuple(biases)})


def _digits(value: float) -> float:
    """Nine digits tell every float32 from its neighbours."""
    return float(f"{value:.9g}")


def _float32(value: float) -> float:
    return float(np.float32(value))
