"""Tokens of a server whose vocabulary nobody told us, found by asking."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from conformance.answer import Unserved
from conformance.dialect import COMPLETIONS, PROMPTS, Dialect
from conformance.view import Absent
from conformance.vocabulary import suggested

if TYPE_CHECKING:
    from conformance.target import Target

CANDIDATES = (2345, 2416, 807, 874, 317, 402, 533, 871, 1001, 760, 609)
"""Token ids that most vocabularies have and that are ordinary words or parts."""
ENOUGH = 4  # tokens that a check may ask for
FORCE, SECOND = 100, 80
SCANNED, BATCH = 4096, 512
T = TypeVar("T")


@dataclass(frozen=True)
class Token:
    """An id and the text that it stands for."""

    id: int
    text: str

    def ends_word_of(self, text: str) -> bool:
        """Whether a word of ``text`` ends with it, or is it."""
        return re.search(rf"{re.escape(self.text)}(?!\w)", f" {text}") is not None


def forced(target: "Target", dialect: Dialect, id: int, count: int) -> str:
    """What ``count`` tokens read like where only ``id`` may be sampled."""
    return dialect.say(target, logit_bias={str(id): FORCE}, max_tokens=count)


def tokens(target: "Target", dialect: Dialect, count: int) -> list[Token]:
    """Tokens whose repetition reads as their text repeated.

    None stands in a prompt of ours: penalties that count the prompt would take as much
    off one that was sampled as off one that was not, and nobody would see them.

    Raises Absent where a bias forces too few.
    """
    name = ("tokens", dialect.resource)
    if name not in target.learned:
        target.learned[name] = _once(target, f"{name}", _tokens, dialect)
    known: list[Token] = target.learned[name]
    if len(known) < count:
        raise Absent("effect of a bias of 100 on the tokens that were tried")
    return known[:count]


def remembered(target: "Target", name: str, find: Callable[..., T], *asked: Any) -> T:
    """What ``find`` finds, found once for all checks; a failure is remembered too."""
    if name not in target.learned:
        target.learned[name] = _once(target, name, find, *asked)
    known: T = target.learned[name]
    return known


def _once(target: "Target", name: str, find: Callable[..., T], *asked: Any) -> T:
    """What ``find`` finds; a failure is remembered, so that nobody looks again.

    A server that refuses what is asked on the way to something else is not at fault
    in that: raises Absent.
    """
    lacking = target.learned.setdefault("lacking", {})
    if name not in lacking:
        try:
            return find(target, *asked)
        except Absent as error:
            lacking[name] = error.path
        except Unserved as error:
            lacking[name] = f"way to its tokens: {error}"
    raise Absent(lacking[name])


def _tokens(target: "Target", dialect: Dialect) -> list[Token]:
    found: list[Token] = []
    for id in dict.fromkeys([*suggested(target, dialect), *CANDIDATES]):
        once, thrice = (forced(target, dialect, id, k) for k in (1, 3))
        token = Token(id, once)
        if (
            once.strip()
            and thrice == 3 * once
            and "�" not in once
            and not any(map(token.ends_word_of, PROMPTS))
            and all(
                other.text.strip() not in once and once.strip() not in other.text
                for other in found
            )
        ):
            found.append(token)
        if len(found) == ENOUGH:
            break
    return found


def id_of(target: "Target", text: str) -> int:
    """The id of the token that reads ``text``, found by echoing every single id."""
    known = target.learned.setdefault("ids", {})
    if text not in known:
        known[text] = _once(target, f"id of {text}", _id_of, text)
    return int(known[text])


def _id_of(target: "Target", text: str) -> int:
    for start in range(0, SCANNED, BATCH):
        ids = range(start, start + BATCH)
        answer = COMPLETIONS.ask(
            target,
            [[id] for id in ids],
            echo=True,
            max_tokens=0,
        )
        read = [choice["text"] for choice in answer.json()["choices"]]
        if len(read) != len(ids) or len(set(read)) < len(ids) // 2:
            raise Absent("echo that tells one token id from another")
        if text in read:
            return start + read.index(text)
    raise Absent(f"token id of {text!r} below {SCANNED}")


@dataclass(frozen=True)
class Pair:
    """Two tokens that alone can be sampled, the first before the second."""

    first: Token
    second: Token

    def gaps(self, target: "Target", count: int = 5, **changes: Any) -> list[float]:
        """Log odds of first to second, at ``count`` positions that all sampled first.

        Raises Absent where the server does not list both, or sampled another.
        """
        bias = {str(self.first.id): FORCE, str(self.second.id): SECOND}
        asked = {"logit_bias": bias, "max_tokens": count, "logprobs": 5, **changes}
        choice = COMPLETIONS.ask(target, **asked).json()["choices"][0]
        if choice["text"] != count * self.first.text:
            raise Absent("choice of the first token at every position")
        return list(self._read(choice["logprobs"]["top_logprobs"]))

    def _read(self, listed: Any) -> Iterator[float]:
        for place in range(len(listed)):
            yield listed[place][self.first.text] - listed[place][self.second.text]


def pair(target: "Target") -> Pair:
    """Two tokens whose log odds follow the bias.

    Raises Absent where log probabilities are told before the bias is added: then
    they cannot show a penalty either.
    """
    if "pair" not in target.learned:
        target.learned["pair"] = _once(target, "pair", _pair)
    known: Pair = target.learned["pair"]
    return known


def _pair(target: "Target") -> Pair:
    found = tokens(target, COMPLETIONS, 4)
    for first, second in ((0, 1), (1, 0), (0, 2), (2, 3), (3, 2), (1, 2)):
        chosen = Pair(found[first], found[second])
        try:
            near = chosen.gaps(target, count=1)[0]
        except Absent:
            continue
        if near > 2:
            return chosen
    raise Absent("log probabilities that follow the bias")
