"""New ids, as the API forms them."""

import random
import string
from threading import Lock

BASE62 = string.ascii_letters + string.digits


class Ids:
    """Makes ids and sampling seeds; with a seed of its own, the same ones each time.

    Not the same ids where they last: they are stored already.
    """

    def __init__(self, seed: int | None = None, *, lasting: bool = False) -> None:
        self._random = random.Random(None if lasting else seed)
        self._draws = random.Random(seed)  # apart, so that ids do not move the draws
        self._lock = Lock()

    def new(self, prefix: str, length: int = 29) -> str:
        """``prefix`` and ``length`` characters of 62."""
        with self._lock:
            return prefix + "".join(self._random.choices(BASE62, k=length))

    def hexadecimal(self, length: int = 32) -> str:
        """A request's id."""
        with self._lock:
            return f"{self._random.getrandbits(4 * length):0{length}x}"

    def seed(self) -> int:
        """Where a choice's draws begin."""
        with self._lock:
            return self._draws.getrandbits(62)
