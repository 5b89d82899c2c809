from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance import sse

PIECES = st.lists(
    st.sampled_from(
        [
            b"data: ",
            b"\n",
            b"\r\n",
            b"\r",
            b"{}",
            "é😀".encode(),
            b"\xff",
            b":",
            b"id: 1",
        ]
    ),
    max_size=24,
).map(b"".join)


@given(PIECES, st.lists(st.integers(0, 200), max_size=12))
def test_events_do_not_depend_on_where_chunks_are_cut(raw, places):
    cuts = sorted({0, *(min(place, len(raw)) for place in places), len(raw)})
    chunks = [(0.0, raw[a:b]) for a, b in pairwise(cuts)]

    found = sse.events(chunks)

    assert found == sse.events([(0.0, raw)])
    assert found == sse.events([(0.0, bytes([byte])) for byte in raw])
    assert raw.startswith(b"".join(event.raw for event in found))


@given(st.lists(st.text(st.characters(exclude_categories=["Cs", "Cc"])), max_size=6))
def test_what_was_framed_is_read(texts):
    raw = "".join(f"data: {text}\n\n" for text in texts).encode()

    assert [event.data for event in sse.events([(0.0, raw)])] == texts


def test_an_event_is_timed_by_its_last_byte():
    found = sse.events([(1.0, b"data: a\n"), (2.0, b"\ndata: b"), (3.0, b"\n\n")])

    assert [(event.at, event.data) for event in found] == [(2.0, "a"), (3.0, "b")]


def test_several_data_lines_are_one_text():
    (event,) = sse.events([(0.0, b"event: x\ndata: a\ndata: b\n\n")])

    assert event.data == "a\nb"
    assert event.fields == (("event", "x"), ("data", "a"), ("data", "b"))


@pytest.mark.parametrize(
    ("raw", "word"),
    [
        (b"data:{}\n\n", "no space"),
        (b": hello\n\n", "comment line"),
        (b"event: x\ndata: {}\n\n", "no data line"),
        (b"id: 1\ndata: {}\n\n", "no data line"),
        (b"retry: 1\ndata: {}\n\n", "no data line"),
        (b"data\n\n", "no space"),
        (b"data: {\ndata: }\n\n", "2 data lines"),
        (b"data: {}", "empty line"),
        (b"data: {}\n", "empty line"),
        (b'data: "\xff"\n\n', "not UTF-8"),
        (b"data: DONE\n\n", "not JSON"),
        (b"data: {}{}\n\n", "two JSON values"),
        (b"data: {} data: {}\n\n", "two JSON values"),
        (b"data: " + b"[" * 99999 + b"\n\n", "not JSON"),
    ],
)
def test_a_fault_is_told(raw, word):
    assert any(word in fault for fault in sse.faults(raw))


@pytest.mark.parametrize(
    "raw",
    [b"", b"data: {}\n\ndata: [DONE]\n\n", b"data: {}\r\n\r\ndata: [DONE]\r\n\r\n"],
)
def test_a_plain_stream_has_no_fault(raw):
    assert list(sse.faults(raw)) == []
