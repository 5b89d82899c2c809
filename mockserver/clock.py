"""The server's time: the real one for stamps, the edition's for what is in force."""

import time
from dataclasses import dataclass, replace
from datetime import date, timedelta


@dataclass(frozen=True)
class Clock:
    """Time as it is so many seconds from now."""

    edition: str
    moved: int = 0

    def later(self, seconds: int) -> "Clock":
        return replace(self, moved=self.moved + seconds)

    def now(self) -> int:
        """Unix seconds, for stamps."""
        return int(time.time()) + self.moved

    def today(self) -> date:
        """The first day of the edition's month, moved on: aliases follow it."""
        first = date.fromisoformat(f"{self.edition}-01")
        return first + timedelta(seconds=self.moved)
