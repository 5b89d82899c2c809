"""The server's time: the real one for stamps, the edition's for what is in force."""

import time
from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta


@dataclass
class Clock:
    """Time that a control call can move forward."""

    edition: str
    moved: int = 0

    def now(self) -> int:
        """Unix seconds, for stamps."""
        return int(time.time()) + self.moved

    def today(self) -> date:
        """The last day of the edition's month, moved on: aliases follow it."""
        year, month = (int(part) for part in self.edition.split("-"))
        last = date(year, month, monthrange(year, month)[1])
        return last + timedelta(seconds=self.moved)
