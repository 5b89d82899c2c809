"""Byte-level BPE, templates for chat and infill, and the folding of foreign ids."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from itertools import chain
from typing import Any

import tokenizers
from tokenizers import decoders, models, pre_tokenizers, trainers

from reference_model.checksum import proven

# Special tokens follow the ordinary ones, in this order. Text never encodes to them.
END = "<|endoftext|>"  # ends a document and each message of a chat
ROLES = ("system", "user", "assistant", "function", "tool")
SAYS, PREFIX, SUFFIX, MIDDLE = "<|says|>", "<|prefix|>", "<|suffix|>", "<|middle|>"
SPECIAL = (END, *(f"<|{role}|>" for role in ROLES), SAYS, PREFIX, SUFFIX, MIDDLE)

_PUBLISHED_ENDS = frozenset({50256, 100257})  # end of text in the published tokenizers


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
        lawful = text.encode("utf-8", "replace").decode()
        ids: list[int] = self._bpe.encode(lawful, add_special_tokens=False).ids
        return ids

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

    def chat(self, messages: Sequence[Mapping[str, str]]) -> list[int]:
        """The messages, then the opening of the assistant's reply."""
        told = chain.from_iterable(map(self.message, messages))
        return [*told, self._special("<|assistant|>")]

    def message(self, message: Mapping[str, str]) -> list[int]:
        """Role, name if any, content, end. An unknown role speaks as the system."""
        role = message["role"] if message["role"] in ROLES else "system"
        name = message.get("name")
        says = [*self.encode(name), self._special(SAYS)] if name else []
        content = self.encode(message.get("content") or "")
        return [self._special(f"<|{role}|>"), *says, *content, self.end_of_text]

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


@cache
def load_tokenizer() -> Tokenizer:
    return Tokenizer(proven("tokenizer.json").decode())


def train_tokenizer(texts: Iterable[str], vocabulary_size: int) -> str:
    """The text of a tokenizer.json learned from ``texts``."""
    bpe: Any = tokenizers.Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary_size - len(SPECIAL),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    bpe.train_from_iterator(texts, trainer)
    bpe.add_special_tokens(list(SPECIAL))
    document: str = bpe.to_str(pretty=True)
    return document


@cache
def _byte_of_letter() -> dict[str, int]:
    """Visible bytes stand for themselves, the others are written from U+0100 on."""
    visible = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    hidden = [byte for byte in range(256) if byte not in visible]
    letters = {chr(byte): byte for byte in visible}
    return letters | {chr(256 + place): byte for place, byte in enumerate(hidden)}
