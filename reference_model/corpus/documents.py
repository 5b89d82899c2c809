"""What a text of the corpus can be."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Message = Mapping[str, Any]
Function = Mapping[str, Any]  # name, description and parameters, as the API takes it
Turn = tuple[str, str]  # what is asked, what is answered


@dataclass(frozen=True)
class Prose:
    """A text that stands alone; somebody else may have begun it."""

    text: str
    begun: str = ""


@dataclass(frozen=True)
class Completion:
    """A prompt without roles, and how it goes on.

    Parts of the prompt, from one character to another, may be foretold from what stands
    before them as the answer is: those are learned as well.
    """

    prompt: str
    answer: str
    foretold: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class Chat:
    """Messages as the API takes them; the assistant is last."""

    messages: tuple[Message, ...]
    functions: tuple[Function, ...] = ()
    json: bool = False


@dataclass(frozen=True)
class Edit:
    """A text, what to do with it, and what it becomes."""

    instruction: str
    text: str
    edited: str


@dataclass(frozen=True)
class Infill:
    """A text with a hole in it."""

    prefix: str
    middle: str
    suffix: str


Document = Prose | Completion | Chat | Edit | Infill
