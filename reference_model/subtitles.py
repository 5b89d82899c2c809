"""Subtitles: segments as SubRip (srt) and as WebVTT (vtt)."""

from collections.abc import Iterable

from reference_model.hearing import Segment


def srt(segments: Iterable[Segment]) -> str:
    """Blocks of a number, counted from 1, two times and a text."""
    return "".join(
        f"{number}\n{_times(segment, ',')}\n{_line(segment.text)}\n\n"
        for number, segment in enumerate(_worded(segments), 1)
    )


def vtt(segments: Iterable[Segment]) -> str:
    """The same without numbers, and with its name at the beginning."""
    blocks = (
        f"{_times(each, '.')}\n{_cue(each.text)}\n\n" for each in _worded(segments)
    )
    return "WEBVTT\n\n" + "".join(blocks)


def _worded(segments: Iterable[Segment]) -> Iterable[Segment]:
    """Those with words; a block without text is none."""
    return (segment for segment in segments if segment.text.split())


def _times(segment: Segment, point: str) -> str:
    return f"{_clock(segment.start, point)} --> {_clock(segment.end, point)}"


def _clock(seconds: float, point: str) -> str:
    """Hours, minutes, seconds and thousandths: 00:01:02.500."""
    whole, thousandths = divmod(round(seconds * 1_000), 1_000)
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{rest:02}{point}{thousandths:03}"


def _line(text: str) -> str:
    """On one line, since an empty one would end the block; arrows belong to times."""
    return " ".join(text.split()).replace("-->", "->")


def _cue(text: str) -> str:
    """Text of WebVTT, in which three signs have a meaning."""
    escaped = _line(text).replace("&", "&amp;")
    return escaped.replace("<", "&lt;").replace(">", "&gt;")
