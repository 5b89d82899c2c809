"""Small runs of every shape the schema allows, with the texts that break pages."""

from typing import Any

from hypothesis import strategies as st

NASTY = (
    "</script><script>alert(1)</script>",
    "<!--<script>",
    '" onmouseover="alert(1)',
    "]]>",
    "nul \0 bell \a escape \x1b delete \x7f",
    "lone \ud800 surrogate \udfff",
    "\ufffe\uffff",
    "😀 e\u0301 \u202e \u2028",
    "a | b\n| c `` d ``` @everyone #1",
    "{{ 7 * 7 }} {% raw %}",
    "javascript:alert(1)",
    "",
)
TEXTS = st.sampled_from(NASTY) | st.text(
    st.characters(exclude_categories=[], codec=None), max_size=12
)
SOME = TEXTS.filter(bool)
HASHES = st.sampled_from(["0" * 64, "c0ffee" * 10 + "beef"])
SECONDS = st.floats(0, 1e6, allow_nan=False)
STRINGS = st.lists(TEXTS, max_size=2)
NOTES = st.none() | TEXTS
HEADERS = st.lists(st.tuples(TEXTS, TEXTS).map(list), max_size=2)


def body(**shown: st.SearchStrategy[str]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {
            **shown,
            "bytes": st.integers(0, 1 << 40),
            "sha256": HASHES,
            "truncated": st.booleans(),
        }
    )


BODIES = st.none() | body(text=TEXTS) | body(base64=st.just("AP8="))
EVENTS = st.lists(st.fixed_dictionaries({"at": SECONDS, "data": TEXTS}), max_size=2)
RESPONSES = st.fixed_dictionaries(
    {
        "status": st.integers(100, 999),
        "headers": HEADERS,
        "body": BODIES,
        "events": st.none() | EVENTS,
    }
)
EXCHANGES = st.fixed_dictionaries(
    {
        "method": TEXTS,
        "url": TEXTS,
        "at": SECONDS,
        "seconds": SECONDS,
        "curl": TEXTS,
        "request": st.fixed_dictionaries({"headers": HEADERS, "body": BODIES}),
        "response": st.none() | RESPONSES,
        "error": NOTES,
    }
)
SOURCES = st.fixed_dictionaries(
    {
        "id": TEXTS,
        "document": TEXTS,
        "date": TEXTS,
        "section": TEXTS,
        "url": NOTES | st.just("https://example.com/a?b=1&c=2"),
    }
)
FIGURES = st.floats(-1e9, 1e9) | st.sampled_from([0, 1, 1e-300])
SERIES = st.fixed_dictionaries(
    {
        "title": TEXTS,
        "instrument": TEXTS,
        "kind": st.sampled_from(["line", "shares"]),
        "across": TEXTS,
        "up": TEXTS,
        "points": st.lists(
            st.fixed_dictionaries(
                {"x": FIGURES, "low": FIGURES, "high": FIGURES, "label": NOTES}
            ),
            max_size=3,
        ),
        "expected": st.lists(
            st.fixed_dictionaries({"x": FIGURES, "y": FIGURES}), max_size=3
        ),
        "requests": st.integers(0, 99),
        "note": NOTES,
    }
)
RESULTS = st.fixed_dictionaries(
    {
        "clause": SOME,
        "level": st.sampled_from(["MUST", "SHOULD", "MAY"]),
        "resource": SOME,
        "outcome": st.sampled_from(
            [
                "holds",
                "fails",
                "untestable",
                "not claimed",
                "broken check",
                "unobservable",
            ]
        ),
        "sentence": TEXTS,
        "basis": st.sampled_from(["stated", "example", "observed", "inferred"]),
        "source": st.lists(SOURCES, max_size=2),
        "operations": STRINGS,
        "findings": STRINGS,
        "reason": NOTES,
        "cause": NOTES,
        "reproduce": NOTES,
        "seconds": SECONDS,
        "exchanges": st.lists(EXCHANGES, max_size=2),
    },
    optional={"measured": st.lists(SERIES, max_size=2)},  # an older suite had none
)
RUNS = st.fixed_dictionaries(
    {
        "suite": SOME,
        "spec": HASHES,
        "edition": st.sampled_from(["2023-04", "2023-12"]),
        "target": st.fixed_dictionaries(
            {
                "url": TEXTS,
                "models": st.dictionaries(TEXTS, TEXTS, max_size=2),
                "deterministic": st.sampled_from([True, False, None]),
                "notes": STRINGS,
            }
        ),
        "claims": st.fixed_dictionaries(
            {"operations": STRINGS, "capabilities": STRINGS}
        ),
        "seed": st.integers(),
        "started": st.sampled_from(["2026-11-20T12:00:00Z", "2026-11-20T12:00:00.5Z"]),
        "seconds": SECONDS,
        "verdict": st.sampled_from(
            ["conformant", "nonconformant", "incomplete", "void"]
        ),
        "command": TEXTS,
        "results": st.lists(RESULTS, max_size=4),
    }
)
