import json

import pytest

from conformance.view import Absent, View, plain, view
from spec.schema import Schema

REPLY = {
    "choices": [{"index": 0, "text": "a", "logprobs": None}],
    "usage": {"total": 3},
}


@pytest.mark.parametrize(
    ("read", "path"),
    [
        (lambda v: v["id"], "id"),
        (lambda v: v["usage"]["prompt"], "usage.prompt"),
        (lambda v: v["choices"][1], r"choices\[1\]"),
        (lambda v: v["choices"][0]["end"], r"choices\[0\].end"),
        (lambda v: v["choices"]["index"], r"choices\[index\]"),
        (lambda v: [c["end"] for c in v["choices"]], r"choices\[0\].end"),
        (lambda v: v[0], "0"),
        (lambda v: next(iter(v.values()))[2], r"choices\[2\]"),
        (lambda v: dict(v.items())["usage"]["x"], "usage.x"),
        (lambda v: v.get("usage")["x"], "usage.x"),
        (lambda v: next(reversed(v["choices"]))["x"], r"choices\[0\].x"),
        (lambda v: v["choices"][:1][0]["x"], r"choices\[0\].x"),
        (lambda v: v["choices"].pop()["x"], r"choices\[-1\].x"),
    ],
)
def test_what_is_missing_is_named_by_its_path(read, path):
    with pytest.raises(Absent, match=path):
        read(View(REPLY))


def test_a_view_is_otherwise_what_it_shows():
    seen = view(json.loads(json.dumps(REPLY)))

    assert seen == REPLY
    assert len(seen["choices"]) == 1
    assert seen.get("id") is None
    assert seen["choices"][0]["logprobs"] is None
    assert json.loads(json.dumps(seen)) == REPLY
    assert Schema({"type": "object", "required": ["usage"]}).valid(seen)
    assert type(plain(seen)) is dict
    assert type(plain(seen["choices"])) is list
    assert plain(3) == 3
    assert view(seen) is seen
