"""How the two operations that generate text are asked, and where their text stands."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from conformance.registry import Findings, check
from conformance.view import Absent

if TYPE_CHECKING:
    from conformance.target import Answer, StreamAnswer, Target

STORY = "Once upon a time there was a small town."
"""A prompt that any model goes on with."""
BRIEF = "Say this is a test"
"""A prompt behind which a text ends soon."""
PROMPTS = (STORY, "Hello", "The answer is", "Write a long list of words.")
"""What pairs of tokens are tried behind, the most promising first."""


@dataclass(frozen=True)
class Dialect:
    """Completions, or chat."""

    resource: str
    operation: str
    ask_of: Callable[[Any], Mapping[str, Any]]
    text: Callable[[Any], str]
    """The text of a choice."""
    piece: Callable[[Any], str]
    """The text of a chunk's choice, which may be none."""

    def body(self, target: "Target", prompt: Any = STORY, **changes: Any) -> Any:
        return target.sample(self.operation, **{**self.ask_of(prompt), **changes})

    def ask(self, target: "Target", prompt: Any = STORY, **changes: Any) -> "Answer":
        """The answer to ``prompt``; at temperature 0 unless changed."""
        return target.post(self._path(target), **self.body(target, prompt, **changes))

    def choices(self, target: "Target", prompt: Any = STORY, **changes: Any) -> Any:
        """The choices of an answer to a lawful request."""
        return self.ask(target, prompt, **changes).json()["choices"]

    def say(self, target: "Target", prompt: Any = STORY, **changes: Any) -> str:
        """The text of the only choice."""
        return self.text(self.choices(target, prompt, **changes)[0])

    def stream(
        self, target: "Target", prompt: Any = STORY, **changes: Any
    ) -> "StreamAnswer":
        return target.stream(
            self._path(target), **self.body(target, prompt, stream=True, **changes)
        )

    def pieces(self, streamed: "StreamAnswer") -> list[str]:
        """The texts of a stream's chunks, without the empty ones."""
        found = (
            self.piece(choice)
            for chunk in streamed.chunks
            for choice in chunk["choices"]
        )
        return [text for text in found if text]

    def _path(self, target: "Target") -> str:
        return target.spec.operations[self.operation].path


def several(count: int) -> dict[str, Any]:
    """So many choices; at a temperature of 0 some servers refuse them."""
    return {"n": count, "temperature": 0.1}


def _content(choice: Any) -> str:
    content = choice["message"]["content"]
    if not isinstance(content, str):
        raise Absent("message.content as a text")
    return content


COMPLETIONS = Dialect(
    "completions",
    "createCompletion",
    lambda prompt: {"prompt": prompt},
    lambda choice: str(choice["text"]),
    lambda choice: choice.get("text") or "",
)
CHAT = Dialect(
    "chat",
    "createChatCompletion",
    lambda prompt: {"messages": [{"role": "user", "content": prompt}]},
    _content,
    lambda choice: (choice.get("delta") or {}).get("content") or "",
)

Observation = Callable[["Target", Dialect], Findings]


def both(
    name: str, *, requires: tuple[str, ...] = (), slow: bool = False
) -> Callable[[Observation], Observation]:
    """Register the function for the clause ``name`` of completions and of chat."""

    def register(observe: Observation) -> Observation:
        for dialect in (COMPLETIONS, CHAT):

            def function(target: "Target", dialect: Dialect = dialect) -> Findings:
                yield from observe(target, dialect)

            function.__doc__ = observe.__doc__
            check(f"{dialect.resource}.{name}", requires=requires, slow=slow)(function)
        return observe

    return register
