"""The fast validator and the one that words faults are of one mind."""

from copy import deepcopy

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode

from spec import load
from spec.export import export
from spec.schema import LONGEST, Schema

SPEC = load()
TAKING_BODIES = [op for op in SPEC.operations.values() if op.body is not None]
EXPORTED = schemathesis.openapi.from_dict(export(SPEC))

PATIENT = settings(max_examples=80, suppress_health_check=[HealthCheck.too_slow])

NUMBERS = st.sampled_from([0, -1, 5, 2**63, 10**400, 1.0, 4.5, 1e300, -1e-300])
TEXTS = st.sampled_from(["", "user", "5\n", "50256", "50256\n", "a\n", "\u0661", "\0"])
SCALARS = st.none() | st.booleans() | NUMBERS | TEXTS | st.text(max_size=3)
JUNK = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.dictionaries(TEXTS | st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=6,
)


def lawful(operation):
    """Bodies by an operation's schema; for the control page, mutation finds them."""
    if operation.capability:
        return st.just(dict.fromkeys(operation.fields))
    made = EXPORTED[operation.path]["POST"]
    cases = made.as_strategy(generation_mode=GenerationMode.POSITIVE)
    return cases.map(lambda case: case.body)


@st.composite
def mutated(draw, operation):
    """A lawful body in which up to three places were given up or written over."""
    body = deepcopy(draw(lawful(operation)))
    for _ in range(draw(st.integers(0, 3))):
        fresh = draw(st.sampled_from(sorted(operation.fields)) | TEXTS)
        *path, last = draw(st.sampled_from([(fresh,), *places(body)]))
        node = body
        for step in path:
            node = node[step]
        if last == fresh or draw(st.booleans()):
            node[last] = draw(JUNK)
        else:
            del node[last]
    return body


def places(node, path=()):
    """The path of everything inside ``node``."""
    inside = node.items() if isinstance(node, dict) else enumerate(node)
    for step, child in inside:
        yield (*path, step)
        if isinstance(child, dict | list):
            yield from places(child, (*path, step))


@pytest.mark.parametrize("operation", TAKING_BODIES, ids=lambda op: op.id)
def test_both_validators_agree(operation):
    @PATIENT
    @given(mutated(operation))
    def agree(body):
        fault = next(operation.request.faults(body), None)

        assert operation.request.valid(body) is (fault is None), fault

    agree()


@pytest.mark.parametrize(
    ("text", "lawful"), [("5", True), ("5\n", False), ("5\n\n", False), ("", False)]
)
def test_a_pattern_ends_where_the_text_ends(text, lawful):
    schema = Schema({"propertyNames": {"pattern": "^[0-9]+$"}})

    assert schema.valid({text: 1}) is lawful
    assert (list(schema.faults({text: 1})) == []) is lawful


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"temperature": 3.0}, "3.0 is greater than the maximum of 2 - 'temperature'"),
        ({"temperature": -1}, "-1 is less than the minimum of 0 - 'temperature'"),
        ({"n": "2"}, "'2' is not of type 'integer', 'null' - 'n'"),
        ({"stop": list("abcde")}, "is not valid under any of the given schemas"),
    ],
    ids=["above", "below", "type", "alternatives"],
)
def test_a_fault_is_worded_as_the_live_api_words_it(body, told):
    request = SPEC.operations["createCompletion"].request

    (fault,) = request.faults({"model": "ada", **body})

    assert told in fault


def test_the_outermost_fault_is_told_first():
    body = {"model": "gpt-4", "messages": [{"role": "robot", "content": ""}], "n": 0}

    first, second = SPEC.operations["createChatCompletion"].request.faults(body)

    assert first.endswith("'n'")
    assert second.endswith("'messages.0.role'")


def test_a_fault_quotes_no_more_of_a_body_than_a_message_holds():
    schema = Schema({"type": "object"})

    (fault,) = schema.faults("long" * LONGEST)

    assert len(fault) == LONGEST + 1


@pytest.mark.parametrize("depth", [100, 300, 900, 20_000])
def test_a_body_that_is_nested_deeply_is_judged_by_both(depth):
    schema, deep = Schema({"type": "object"}), []
    for _ in range(depth):
        deep = [deep]

    assert not schema.valid(deep)
    assert len(list(schema.faults(deep))) == 1


@pytest.mark.parametrize("body", [{1: 2}, {"\ud800": 1}])
def test_a_name_that_no_json_has_is_not_valid(body):
    assert not Schema({"additionalProperties": False}).valid(body)
