import pytest
from any_run import TEXTS
from hypothesis import given

from reports.text import duration, moment, printable, shortened


@given(TEXTS)
def test_printable_text_is_xml_and_utf8(text):
    shown = printable(text)

    assert shown.encode().decode() == shown
    assert all(c in "\t\n\r" or ord(c) >= 0x20 for c in shown)
    assert not {"\ufffe", "\uffff"} & set(shown)


@given(TEXTS)
def test_printable_text_stays_as_it_is(text):
    assert printable(printable(text)) == printable(text)


def test_a_control_character_is_seen():
    assert printable("a\0b\x1b") == "a\u2400b\u241b"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 ms"),
        (0.0031, "3.1 ms"),
        (0.9991, "999 ms"),
        (0.9996, "1 s"),
        (12.34, "12.3 s"),
        (99.94, "99.9 s"),
        (99.96, "1 min 40 s"),
        (125, "2 min 5 s"),
    ],
)
def test_a_duration_has_a_fitting_unit(seconds, text):
    assert duration(seconds) == text


def test_a_moment_is_read_in_utc():
    assert moment("2026-11-20T12:34:56Z") == "2026-11-20 12:34 UTC"


def test_a_shortened_text_keeps_its_limit():
    assert shortened("abcdef", 4) == "abc…"
    assert shortened("abcd", 4) == "abcd"
