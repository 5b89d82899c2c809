"""Text from a server, made safe to print: no character a page or XML cannot hold."""

import math

CONTROLS = {code: 0x2400 + code for code in range(0x20) if chr(code) not in "\t\n\r"}
UNPRINTABLE = CONTROLS | {0x7F: 0x2421, 0xFFFE: 0xFFFD, 0xFFFF: 0xFFFD}


def printable(text: str) -> str:
    """Control characters as their pictures, lone surrogates as U+FFFD."""
    paired = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return paired.translate(UNPRINTABLE)


def shortened(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def duration(seconds: float) -> str:
    """Such as "3 ms", "12.3 s" or "2 min 5 s"."""
    if seconds < 0.9995:
        return f"{seconds * 1000:.3g} ms"
    if seconds < 99.95:
        return f"{seconds:.3g} s"
    minutes, rest = divmod(math.floor(seconds + 0.5), 60)
    return f"{minutes} min {rest} s"


def moment(started: str) -> str:
    """Such as "2026-11-20 12:00 UTC"."""
    return f"{started[:10]} {started[11:16]} UTC"
