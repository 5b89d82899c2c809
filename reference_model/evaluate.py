"""Tries the model at temperature 0 on what training never shows."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from reference_model.checksum import WEIGHTS
from reference_model.corpus import (
    bare,
    copying,
    edits,
    exchanges,
    letters,
    patterns,
    tools,
)
from reference_model.corpus.dice import Dice
from reference_model.corpus.documents import (
    Chat,
    Completion,
    Document,
    Edit,
    Infill,
    Prose,
    Turn,
)
from reference_model.corpus.prose import begun, gap, tale
from reference_model.engine import Engine, Job
from reference_model.model import load_model
from reference_model.sampling import Sampling
from reference_model.tokenizer import Tokenizer, load_tokenizer

SEED, MOST = 2, 700  # tokens of a reply
_GREEDY = Sampling(temperature=0)
_WORDS, _COMBINATIONS = frozenset({"words"}), frozenset({"combinations"})
_NEW = _WORDS | _COMBINATIONS
_PHRASINGS = frozenset({"phrasings", "combinations"})


@dataclass(frozen=True)
class Case:
    """A prompt, and the reply that is right; any that is readable, if it is None."""

    prompt: tuple[int, ...]
    right: str | None

    def accepts(self, reply: str) -> bool:
        return readable(reply) if self.right is None else reply == self.right


@dataclass(frozen=True)
class Skill:
    """What the model can do; ``trial`` is the percentage that an earlier trial had."""

    name: str
    trial: int | None
    held: frozenset[str]
    make: Callable[[Dice], Document]
    free: bool = False  # whether any readable reply will do

    def cases(self, tokenizer: Tokenizer, count: int) -> Iterator[Case]:
        dice = Dice(SEED, held=self.held)
        for _ in range(count):
            prompt, right = question(tokenizer, self.make(dice))
            yield Case(tuple(prompt), None if self.free else right)


@dataclass(frozen=True)
class Score:
    """How many replies were right, and some of the others."""

    skill: Skill
    share: float
    wrong: tuple[tuple[Case, str], ...]


def question(tokenizer: Tokenizer, document: Document) -> tuple[list[int], str]:
    """What the model is given of a document, and what it has to find."""
    match document:
        case Prose(text, begun):
            return tokenizer.encode(begun), text
        case Completion(prompt, answer):
            return tokenizer.encode(prompt), answer
        case Edit(instruction, text, edited):
            return tokenizer.edit(instruction, text), edited
        case Infill(prefix, middle, suffix):
            before, after = tokenizer.encode(prefix), tokenizer.encode(suffix)
            return tokenizer.infill(before, after), middle
        case Chat(messages, functions, json):
            asked = tokenizer.chat(messages[:-1], functions, json_object=json)
            return asked, tokenizer.decode(tokenizer.message(messages[-1]))


def scores(engine: Engine, tokenizer: Tokenizer, count: int) -> Iterator[Score]:
    """All skills, ``count`` cases of each."""
    for skill in SKILLS:
        cases = list(skill.cases(tokenizer, count))
        replies = replied(engine, tokenizer, [case.prompt for case in cases])
        pairs = zip(cases, replies, strict=True)
        wrong = tuple(pair for pair in pairs if not pair[0].accepts(pair[1] or ""))
        yield Score(skill, 1 - len(wrong) / count, wrong)


def replied(
    engine: Engine, tokenizer: Tokenizer, prompts: Sequence[tuple[int, ...]]
) -> list[str]:
    """The likeliest replies; one that does not end is taken for silence."""
    begun = [engine.submit(Job(prompt, MOST, _GREEDY)) for prompt in prompts]
    tokens = [[step.token for step in reply] for reply in begun]
    return [tokenizer.decode(ids) if len(ids) < MOST else "" for ids in tokens]


def readable(text: str) -> bool:
    """Some words, no half letters, and no going round in circles."""
    words = text.split()
    rows = [tuple(words[place : place + 6]) for place in range(len(words) - 5)]
    return (
        bool(words)
        and "\N{REPLACEMENT CHARACTER}" not in text
        and len(set(rows)) == len(rows)
    )


def report(count: int, folder: Path = WEIGHTS, wrong: int = 0) -> str:
    """The scores as a table, and some of the wrong replies."""
    tokenizer = load_tokenizer(folder)
    engine = Engine(load_model(folder), tokenizer.end_of_text)
    lines = [
        "| what is asked, of what training never shows | right | trial |",
        "|---|---|---|",
    ]
    for score in scores(engine, tokenizer, count):
        skill = score.skill
        trial = "-" if skill.trial is None else f"{skill.trial} %"
        lines.append(f"| {skill.name} | {round(100 * score.share)} % | {trial} |")
        lines += [_shown(tokenizer, *pair) for pair in score.wrong[:wrong]]
    engine.close()
    return "\n".join(lines)


def _shown(tokenizer: Tokenizer, case: Case, reply: str) -> str:
    asked = tokenizer.decode(case.prompt)
    return f"  {asked!r}\n    expected {case.right!r}\n    replied {reply!r}"


def _spoken(turn: Turn) -> Chat:
    asked, answered = turn
    user, reply = (
        {"role": "user", "content": asked},
        {"role": "assistant", "content": answered},
    )
    return Chat((user, reply))


def _repeat(make: Callable[[Dice], str]) -> Callable[[Dice], Document]:
    """Repeat what ``make`` draws."""
    return lambda dice: _spoken(copying.repeated(dice, make))


def _bare_say(dice: Dice) -> Document:
    asked, answered = copying.say(dice)
    return Completion(asked, f"\n\n{answered}")


def _begun(dice: Dice) -> Document:
    """A story that breaks off."""
    return dice.apart("combinations", lambda dice: begun(dice, tale(dice)))


def _rule(name: str) -> Callable[[Dice], Document]:
    return lambda dice: patterns.shots(dice, patterns.RULES[name])


def _chat(make: Callable[[Dice], Turn]) -> Callable[[Dice], Document]:
    return lambda dice: _spoken(make(dice))


def _many_words(dice: Dice) -> str:
    return dice.words(110, 190)


_REPEAT, _REPEAT_LONG = _repeat(copying.plain_words), _repeat(_many_words)
SKILLS = (
    Skill("a story begun: ends by itself, readable", 100, _COMBINATIONS, _begun, True),
    Skill("any bare prompt: ends by itself, readable", 100, _COMBINATIONS, bare, True),
    Skill("repeat unseen combinations of words", 100, _COMBINATIONS, _REPEAT),
    Skill("repeat unseen words", 98, _NEW, _REPEAT),
    Skill("repeat, in an unseen phrasing", None, _PHRASINGS, _REPEAT),
    Skill("repeat 200 to 400 tokens", None, _COMBINATIONS, _REPEAT_LONG),
    Skill("say a sentence, bare prompt", None, _COMBINATIONS, _bare_say),
    Skill("greet back, unseen names", 100, _NEW, _chat(exchanges.greeting)),
    Skill("few-shot: opposites", 90, _COMBINATIONS, _rule("opposites")),
    Skill("few-shot: known pairs", 90, _COMBINATIONS, _rule("pairs")),
    Skill("few-shot: a frame around unseen words", 100, _NEW, _rule("frames")),
    Skill("few-shot: upper case of unseen words", 75, _NEW, _rule("upper case")),
    Skill("repair spelling, unseen slips", 89, _COMBINATIONS, _chat(letters.repaired)),
    Skill("edit a text, unseen words", None, _NEW, edits.revision),
    Skill("fill in the middle", 94, _COMBINATIONS, gap),
    Skill("call a function, unseen argument", 95, _NEW, tools.call),
    Skill("call two functions at once", None, _COMBINATIONS, tools.two_calls),
    Skill("tell what a function gave", None, _WORDS, tools.result),
    Skill(
        "JSON of given fields, unseen words", None, _WORDS, _chat(exchanges.json_fields)
    ),
    Skill("decline politely, unseen topic", None, _NEW, _chat(exchanges.beyond)),
)
