"""Objects made, read, listed, ended and taken away in any order, drawn by hypothesis.

Beside the server stands a model of it: which objects there are, and the state that each
was last seen in. The first answer that the model rules out ends a run; hypothesis then
looks for the shortest run that ends so.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from conformance.registry import Findings
from conformance.view import Absent
from spec import Operation, Spec
from spec.model import Lifecycle

if TYPE_CHECKING:
    from conformance.answer import Answer
    from conformance.target import Target

RUNS, STEPS = 20, 12  # of a machine, and of each run
MOST = 3  # objects of one run
CANCEL = "/cancel"
KEPT = ("id", "object", "created_at")
"""What no object ever changes."""


@dataclass(frozen=True)
class Kind:
    """A sort of object with a life, and the operations that concern it."""

    life: Lifecycle
    make: Operation
    read: Operation
    list: Operation
    end: Operation | None
    """Ends it before its time."""
    remove: Operation | None

    @property
    def operations(self) -> tuple[Operation, ...]:
        every = (self.make, self.read, self.list, self.end, self.remove)
        return tuple(one for one in every if one)


@dataclass
class Thing:
    """What is known of one object, which a story calls A, B or C."""

    name: str
    made: Mapping[str, Any]
    state: str
    there: bool = True


class Disagreement(AssertionError):  # noqa: N818  # the word of the house
    """The server said what the model rules out; ``story`` tells how it came to that."""

    def __init__(self, fault: str, story: Sequence[str]) -> None:
        super().__init__(fault)
        self.story = tuple(story)


def kind(spec: Spec, name: str) -> Kind:
    """The sort whose lifecycle has this name. Raises LookupError for none."""
    life = spec.lifecycles[name]
    beside = {one.name: one for one in spec.operations.values()}
    for id, links in spec.links.items():
        read = spec.operations[id]
        states = read.reply.get("properties", {}).get(life.field, {}).get("enum", ())
        if read.method == "GET" and {*states} == {*life.states}:
            make = spec.operations[links[0].source]
            return Kind(
                life,
                make,
                read,
                beside[f"GET {make.path}"],
                beside.get(f"POST {read.path}{CANCEL}"),
                beside.get(f"DELETE {read.path}"),
            )
    raise LookupError(f"expected operations that show a {name}, got none")


def shortest(target: "Target", name: str) -> Findings:
    """The fault in which the shortest story ends, then each step of the story."""
    sort = kind(target.spec, name)
    lacking = [o.name for o in sort.operations if o.id not in target.claims.operations]
    if lacking:
        raise Absent(f"operations {', '.join(lacking)}")
    try:
        _run(target, sort)
    except Disagreement as fault:
        yield str(fault)
        for number, step in enumerate(fault.story, 1):
            yield f"step {number}: {step}"


def _run(target: "Target", sort: Kind) -> None:
    """Raises the Disagreement of the shortest run that has one."""
    from hypothesis import HealthCheck, Phase, Verbosity, seed, settings
    from hypothesis import strategies as st
    from hypothesis.stateful import (
        RuleBasedStateMachine,
        precondition,
        rule,
        run_state_machine_as_test,
    )

    picks = st.integers(0, MOST - 1)

    class Machine(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            self.world = World(target, sort)

        def teardown(self) -> None:
            self.world.cleared()

        @precondition(lambda self: len(self.world.things) < MOST)
        @rule()
        def made(self) -> None:
            self.world.make()

        @rule()
        def listed(self) -> None:
            self.world.list()

        @precondition(lambda self: bool(self.world.things))
        @rule(pick=picks)
        def read(self, pick: int) -> None:
            self.world.read(pick)

        @precondition(lambda self: bool(sort.end and self.world.things))
        @rule(pick=picks)
        def ended(self, pick: int) -> None:
            self.world.end(pick)

        @precondition(lambda self: bool(sort.remove and self.world.things))
        @rule(pick=picks)
        def removed(self, pick: int) -> None:
            self.world.remove(pick)

    chosen = settings(
        max_examples=RUNS,
        stateful_step_count=STEPS,
        database=None,
        deadline=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
        print_blob=False,
        verbosity=Verbosity.quiet,
        report_multiple_bugs=False,
    )
    run_state_machine_as_test(seed(target.seed)(Machine), settings=chosen)


class World:
    """The model, moved by what is asked of the server."""

    def __init__(self, target: "Target", sort: Kind) -> None:
        self.target, self.sort = target, sort
        self.things: list[Thing] = []
        self.story: list[str] = []

    def make(self) -> None:
        answer = self._asked(self.sort.make)
        made = dict(answer.json())
        name = chr(ord("A") + len(self.things))
        state = str(made[self.sort.life.field])
        self._tell(self.sort.make, "", f"made {name}, {state}")
        if any(made["id"] == other.made["id"] for other in self.things):
            self._blame(f"{name} was given an id that another has")
        self.things.append(Thing(name, made, state))

    def read(self, pick: int) -> None:
        thing = self._picked(pick)
        answer = self._asked(self.sort.read, thing)
        self._tell(self.sort.read, thing.name, self._seen(answer))
        if not thing.there:
            self._gone(thing, answer)
        elif answer.status != 200:
            self._blame(f"{thing.name} was there, and was answered {answer.status}")
        else:
            self._moved(thing, dict(answer.json()))

    def list(self) -> None:
        rows = {row["id"]: dict(row) for row in self._listed()}
        ours = [thing for thing in self.things if thing.made["id"] in rows]
        names = ", ".join(thing.name for thing in ours)
        self._tell(self.sort.list, "", f"lists {names or 'none of them'}")
        for thing in self.things:
            if thing.there != (thing in ours):
                word = "is not in the list" if thing.there else "is still in the list"
                fate = "was never deleted" if thing.there else "was deleted"
                self._blame(f"{thing.name} {fate} and {word}")
            if thing.there:
                self._moved(thing, rows[thing.made["id"]])

    def end(self, pick: int) -> None:
        """What has ended already may be refused, or shown as it is."""
        assert self.sort.end
        thing = self._picked(pick)
        answer = self._asked(self.sort.end, thing)
        self._tell(self.sort.end, thing.name, self._seen(answer))
        if answer.status == 200:
            self._moved(thing, dict(answer.json()))
        elif not answer.refused or thing.state == self.sort.life.start:
            self._reread(thing, answer)

    def remove(self, pick: int) -> None:
        assert self.sort.remove
        thing = self._picked(pick)
        answer = self._asked(self.sort.remove, thing)
        self._tell(self.sort.remove, thing.name, str(answer.status))
        if not thing.there:
            self._gone(thing, answer)
        elif answer.status != 200:
            self._blame(f"{thing.name} was there, and was answered {answer.status}")
        thing.there = False

    def cleared(self) -> None:
        """Takes away what was made."""
        for thing in self.things:
            for operation in (self.sort.end, self.sort.remove):
                if operation and thing.there:
                    self._asked(operation, thing)

    def _asked(self, operation: Operation, thing: Thing | None = None) -> "Answer":
        hole = operation.path.partition("{")[2].partition("}")[0]
        path = {"path": {hole: thing.made["id"]}} if thing else {}
        return self.target.call(operation.id, **path)

    def _listed(self) -> Sequence[Any]:
        return list(self._asked(self.sort.list).json()["data"])

    def _picked(self, pick: int) -> Thing:
        return self.things[pick % len(self.things)]

    def _seen(self, answer: "Answer") -> str:
        if answer.status != 200:
            return str(answer.status)
        return str(answer.json()[self.sort.life.field])

    def _moved(self, thing: Thing, shown: Mapping[str, Any]) -> None:
        """What an answer shows of an object fits what was known of it."""
        life, state = self.sort.life, str(shown[self.sort.life.field])
        if state not in life.states or not life.reachable(thing.state, state):
            self._blame(f"{thing.name} went from {thing.state} to {state}")
        for name in KEPT:
            if shown[name] != thing.made[name]:
                self._blame(f"the {name} of {thing.name} changed to {shown[name]!r}")
        thing.state = state

    def _reread(self, thing: Thing, answer: "Answer") -> None:
        """A refused end is right if the object had ended by itself meanwhile."""
        shown = dict(self._asked(self.sort.read, thing).json())
        self._moved(thing, shown)
        if thing.state not in self.sort.life.terminal:
            self._blame(f"the end of {thing.name} was answered {answer.status}")

    def _gone(self, thing: Thing, answer: "Answer") -> None:
        if answer.status != 404:
            self._blame(f"{thing.name} was deleted, and was answered {answer.status}")

    def _tell(self, operation: Operation, name: str, outcome: str) -> None:
        path = operation.filled(
            {operation.path.partition("{")[2].partition("}")[0]: name}
        )
        self.story.append(f"{operation.method} {path}: {outcome}")

    def _blame(self, fault: str) -> None:
        raise Disagreement(fault, self.story)
