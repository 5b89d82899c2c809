"""Byte-level BPE, templates for chat, edits and infill, and the folding of foreign ids.

A chat is a row of messages, each of them::

    <|role|>name<|says|>content<|endoftext|>

where ``name<|says|>`` is left out if there is no name. Two messages of the system come
first if they are needed. One is named "functions" and has a line for each function; a
question mark behind a kind means that the value may be left out::

    get_weather {"location": "string", "unit": "celsius|fahrenheit?"} Get the weather

The other is named "format" and says "JSON": the reply is to be a JSON object. The
assistant calls functions with a line for each call, behind any other content::

    <call>get_weather {"location": "Boston"}

and ``calls`` finds them in a reply. An edit is an instruction by the system, named
"edit", and a text by the user.
"""

import json
import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import tokenizers
from tokenizers import decoders, models, pre_tokenizers, trainers

from reference_model.checksum import WEIGHTS, proven

# Special tokens follow the ordinary ones, in this order. Text never encodes to them.
END = "<|endoftext|>"  # ends a document and each message of a chat
ROLES = ("system", "user", "assistant", "function", "tool")
SAYS, PREFIX, SUFFIX, MIDDLE = "<|says|>", "<|prefix|>", "<|suffix|>", "<|middle|>"
SPECIAL = (END, *(f"<|{role}|>" for role in ROLES), SAYS, PREFIX, SUFFIX, MIDDLE)

CALL = "<call>"  # begins a line that calls a function

SPACED = 600  # tokens that begin with a space and go on with a word
_SPACE = "\u0120"  # as BPE spells it
_BEHIND_SPACE = re.compile(r" ([^\W\d_]+)")
_PUBLISHED_ENDS = frozenset({50256, 100257})  # end of text in the published tokenizers


class Call(NamedTuple):
    """A function that the assistant wants called; JSON, unless the model erred."""

    name: str
    arguments: str


class Tokenizer:
    """Ordinary tokens are ``0 .. ordinary - 1``; the special ones come after them."""

    def __init__(self, document: str) -> None:
        """``document`` is the text of a tokenizer.json."""
        self._bpe: Any = tokenizers.Tokenizer.from_str(document)
        self._bpe.encode_special_tokens = True  # "<|endoftext|>" in a text is text
        self.vocabulary_size: int = self._bpe.get_vocab_size()
        self.ordinary = self.vocabulary_size - len(SPECIAL)
        self.end_of_text = self._special(END)
        self._bytes = [self._spelled(id) for id in range(self.vocabulary_size)]

    def encode(self, text: str) -> list[int]:
        """Ids of ordinary tokens; a lone surrogate becomes a question mark."""
        ids: list[int] = self._encoded(text).ids
        return ids

    def ends(self, text: str) -> list[int]:
        """Behind which character of a text each of its tokens ends."""
        return [end for _, end in self._encoded(text).offsets]

    def _encoded(self, text: str) -> Any:
        lawful = text.encode("utf-8", "replace").decode()
        return self._bpe.encode(lawful, add_special_tokens=False)

    def decode(self, ids: Iterable[int]) -> str:
        return b"".join(map(self.token_bytes, ids)).decode("utf-8", "replace")

    def token_bytes(self, id: int) -> bytes:
        """What a token adds to the text; nothing, if it is special."""
        return self._bytes[id]

    def fold(self, id: int) -> int:
        """One of our ids for any id of a published tokenizer."""
        if id in _PUBLISHED_ENDS:
            return self.end_of_text
        if 0 <= id < self.vocabulary_size:
            return id
        return id % self.ordinary

    def chat(
        self,
        messages: Sequence[Mapping[str, Any]],
        functions: Sequence[Mapping[str, Any]] = (),
        *,
        json_object: bool = False,
    ) -> list[int]:
        """What is offered, the messages, then the opening of the assistant's reply."""
        told = chain.from_iterable(map(self.message, messages))
        offer = self.offer(functions, json_object=json_object)
        return [*offer, *told, self._special("<|assistant|>")]

    def offer(
        self, functions: Sequence[Mapping[str, Any]] = (), *, json_object: bool = False
    ) -> list[int]:
        """Messages of the system about functions and the form of the reply."""
        messages = []
        if functions:
            shown = "\n".join(map(_shown, functions))
            messages.append({"role": "system", "name": "functions", "content": shown})
        if json_object:
            messages.append({"role": "system", "name": "format", "content": "JSON"})
        return list(chain.from_iterable(map(self.message, messages)))

    def message(self, message: Mapping[str, Any]) -> list[int]:
        """Role, name if any, content and calls, end.

        An unknown role speaks as the system.
        """
        role = message["role"] if message["role"] in ROLES else "system"
        name = message.get("name")
        says = [*self.encode(name), self._special(SAYS)] if name else []
        lines = [message.get("content") or "", *map(_spoken, _called(message))]
        content = self.encode("\n".join(filter(None, lines)))
        return [self._special(f"<|{role}|>"), *says, *content, self.end_of_text]

    def call(self, name: str) -> list[int]:
        """How a reply begins that is bound to call a function."""
        return self.encode(f"{CALL}{name}")

    def edit(self, instruction: str, text: str) -> list[int]:
        """A text and what to do with it; the model goes on with the edited text."""
        told = {"role": "system", "name": "edit", "content": instruction}
        return self.chat([told, {"role": "user", "content": text}])

    def infill(self, prefix_ids: Sequence[int], suffix_ids: Sequence[int]) -> list[int]:
        """What comes before and after; the model goes on with what is between."""
        before, after, between = map(self._special, (PREFIX, SUFFIX, MIDDLE))
        return [before, *prefix_ids, after, *suffix_ids, between]

    def _special(self, name: str) -> int:
        return self.ordinary + SPECIAL.index(name)

    def _spelled(self, id: int) -> bytes:
        if id >= self.ordinary:
            return b""
        letters: str = self._bpe.id_to_token(id)
        return bytes(_byte_of_letter()[letter] for letter in letters)


def calls(reply: str, names: Collection[str]) -> tuple[str, tuple[Call, ...]]:
    """The content of a reply, and the calls of functions of those names behind it."""
    lines = reply.split("\n")
    found: list[Call] = []
    while lines and lines[-1].startswith(CALL):
        name, _, arguments = lines[-1].removeprefix(CALL).partition(" ")
        if name not in names:
            break
        found.insert(0, Call(name, arguments))
        lines.pop()
    return "\n".join(lines), tuple(found)


def _called(message: Mapping[str, Any]) -> Iterable[Mapping[str, str]]:
    """The functions that a message of the API calls."""
    if function := message.get("function_call"):
        return [function]
    return [called["function"] for called in message.get("tool_calls") or ()]


def _spoken(function: Mapping[str, str]) -> str:
    return f"{CALL}{function['name']} {function['arguments']}"


def _shown(function: Mapping[str, Any]) -> str:
    """A function on one line: its name, the kinds of its parameters, what it does."""
    schema = function.get("parameters") or {}
    required = schema.get("required") or ()
    kinds = {
        name: _kind(value) + ("" if name in required else "?")
        for name, value in (schema.get("properties") or {}).items()
    }
    tells = " ".join((function.get("description") or "").split())
    shown = json.dumps(kinds, ensure_ascii=False)
    return f"{function['name']} {shown} {tells}".rstrip()


def _kind(schema: Any) -> str:
    """What a parameter may be: its choices, or its type."""
    if not isinstance(schema, Mapping):
        return "any"
    if choices := schema.get("enum"):
        return "|".join(map(str, choices))
    kinds = schema.get("type", "any")
    return kinds if isinstance(kinds, str) else "|".join(map(str, kinds))


@cache
def load_tokenizer(folder: Path = WEIGHTS) -> Tokenizer:
    return Tokenizer(proven("tokenizer.json", folder).decode())


def train_tokenizer(texts: Iterable[str], vocabulary_size: int) -> str:
    """The text of a tokenizer.json learned from ``texts``.

    A word falls into the same tokens with a space before it and without, but that the
    first may have taken the space in: what stands in quotation marks is then said again
    behind a space by the same tokens. So words are learned without their spaces, and
    the ``SPACED`` most frequent beginnings are merged with one at last. And it falls
    into the same in capital letters: what is merged of small ones is of capitals too.
    """
    shown = list(texts)
    bpe: Any = tokenizers.Tokenizer(models.BPE())
    whole = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bare = pre_tokenizers.Split(tokenizers.Regex(r" (?=[\p{L}\p{N}])"), "isolated")
    bpe.pre_tokenizer = pre_tokenizers.Sequence([bare, whole])
    bpe.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary_size,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    bpe.train_from_iterator(shown, trainer)
    document = json.loads(bpe.to_str())
    room = vocabulary_size - len(SPECIAL) - SPACED
    ids, merges = _with_capitals(document["model"]["merges"], room)
    document["model"] |= {"vocab": ids, "merges": merges}
    bpe = tokenizers.Tokenizer.from_str(json.dumps(document))
    words = (word for text in shown for word in _BEHIND_SPACE.findall(text))
    begun = Counter(bpe.encode(word).tokens[0] for word in words)
    for token, _ in begun.most_common(SPACED):
        ids[_SPACE + token] = len(ids)
        merges.append([_SPACE, token])
    bpe = tokenizers.Tokenizer.from_str(json.dumps(document))
    bpe.pre_tokenizer = whole
    bpe.add_special_tokens(list(SPECIAL))
    written: str = bpe.to_str(pretty=True)
    return written


def _with_capitals(
    learned: Sequence[Sequence[str]], room: int
) -> tuple[dict[str, int], list[list[str]]]:
    """As many merges as there is room for; each of small letters for capitals too."""
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    ids = {letter: id for id, letter in enumerate(letters)}
    merges: list[list[str]] = []
    for pair in map(list, learned):
        joined = "".join(pair)
        small = joined.isascii() and joined.isalpha() and joined.islower()
        for one in [pair, [part.upper() for part in pair]] if small else [pair]:
            if len(ids) < room and one not in merges:
                ids.setdefault("".join(one), len(ids))
                merges.append(one)
    return ids, merges


@cache
def _byte_of_letter() -> dict[str, int]:
    """Visible bytes stand for themselves, the others are written from U+0100 on."""
    visible = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    hidden = [byte for byte in range(256) if byte not in visible]
    letters = {chr(byte): byte for byte in visible}
    return letters | {chr(256 + place): byte for place, byte in enumerate(hidden)}
