"""References between the parts of a page."""

import subprocess
import sys

import pytest

from spec.load import load
from spec.references import resolve

DOCUMENT = {
    "schemas": {
        "name": {"type": "string", "maxLength": 5},
        "a/b": {"type": "integer"},
        "outer": {"items": {"$ref": "#/schemas/name"}},
        "self": {"properties": {"child": {"$ref": "#/schemas/self"}}},
        "ping": {"$ref": "#/schemas/pong"},
        "pong": {"anyOf": [{"$ref": "#/schemas/ping"}]},
    }
}


def ref(name, **beside):
    return {"$ref": f"#/schemas/{name}", **beside}


@pytest.mark.parametrize(
    ("node", "meant"),
    [
        (ref("name"), {"type": "string", "maxLength": 5}),
        (ref("name", maxLength=9), {"type": "string", "maxLength": 9}),
        (ref("a~1b"), {"type": "integer"}),
        (ref("outer"), {"items": {"type": "string", "maxLength": 5}}),
        ([ref("a~1b"), 1], [{"type": "integer"}, 1]),
    ],
    ids=["plain", "a key beside it wins", "a slash in a name", "nested", "in a list"],
)
def test_a_reference_stands_for_what_it_names(node, meant):
    assert resolve(node, DOCUMENT) == meant


def test_a_name_may_be_used_twice_side_by_side():
    twice = {"anyOf": [ref("name"), ref("name")]}

    assert resolve(twice, DOCUMENT)["anyOf"] == [DOCUMENT["schemas"]["name"]] * 2


@pytest.mark.parametrize("name", ["self", "ping", "pong"])
def test_a_cycle_is_told(name):
    with pytest.raises(ValueError, match="no cycle of references"):
        resolve(ref(name), DOCUMENT)


@pytest.mark.parametrize("name", ["nothing", "name/type/more", "outer/0"])
def test_an_unknown_reference_is_told(name):
    with pytest.raises(ValueError, match="a known reference"):
        resolve(ref(name), DOCUMENT)


def test_no_reference_is_left_in_an_operation():
    for operation in load().operations.values():
        for part in (operation.body, operation.reply, operation.parameters):
            assert "$ref" not in str(part)


def test_loading_takes_no_heavy_library():
    heavy = {"torch", "flask", "sqlalchemy", "cel", "jsonschema", "jsonschema_rs"}
    statement = "import sys, spec; spec.load(); print(*sys.modules)"

    said = subprocess.run(
        [sys.executable, "-c", statement], capture_output=True, check=True, text=True
    )

    assert not heavy & {*said.stdout.split()}
