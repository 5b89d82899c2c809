"""A moderation scorer: weighted words, and rules about who does what to whom."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from reference_model.tokenizer import load_tokenizer

CATEGORIES = (
    "hate",
    "hate/threatening",
    "harassment",
    "harassment/threatening",
    "self-harm",
    "self-harm/intent",
    "self-harm/instructions",
    "sexual",
    "sexual/minors",
    "violence",
    "violence/graphic",
)
CHUNK = 4_096  # tokens judged at a time
LIMIT = 32_768  # tokens looked at in all

_THRESHOLDS = dict.fromkeys(CATEGORIES, 0.5) | {"sexual/minors": 0.3}
_QUIET = 1e-4  # the score of a text in which nothing was found


@dataclass(frozen=True)
class _Sign:
    """Something that speaks for a category, and how strongly; 1 would be certain."""

    category: str
    weight: float
    pattern: re.Pattern[str]


def scores(text: str) -> dict[str, float]:
    """Between 0 and 1 for each category: the highest of all chunks."""
    chunks = [_chunk_scores(chunk) for chunk in _chunks(text)]
    return {
        category: max(chunk[category] for chunk in chunks) for category in CATEGORIES
    }


def flagged(scores: Mapping[str, float]) -> dict[str, bool]:
    """Whether each score is one to act upon."""
    return {
        category: score >= _THRESHOLDS[category] for category, score in scores.items()
    }


def _chunks(text: str) -> Iterator[str]:
    """Pieces of 4,096 tokens, at least one, and no more than 32,768 tokens in all."""
    tokenizer = load_tokenizer()
    tokens = tokenizer.encode(text)[:LIMIT]
    for start in range(0, len(tokens) or 1, CHUNK):
        yield tokenizer.decode(tokens[start : start + CHUNK])


@lru_cache(maxsize=256)
def _chunk_scores(text: str) -> Mapping[str, float]:
    """Doubt shrinks with each distinct thing found: 1 - (1 - a)(1 - b)..."""
    doubts = dict.fromkeys(CATEGORIES, 1.0 - _QUIET)
    for sign in _SIGNS:
        if sign.pattern.search(text):
            doubts[sign.category] *= 1.0 - sign.weight
    return {category: 1.0 - doubt for category, doubt in doubts.items()}


def _sign(category: str, weight: float, *parts: str) -> _Sign:
    """Parts follow one another, with at most three words between them."""
    between = r"\W+(?:[\w']+\W+){0,3}?"
    pattern = rf"\b{between.join(f'(?:{part})' for part in parts)}\b"
    return _Sign(category, weight, re.compile(pattern, re.IGNORECASE))


_HARM = (
    r"kill(?:s|ing)?|murder(?:s|ing)?|hurt(?:s|ing)?|stab(?:s|bing)?|shoot(?:s|ing)?"
    r"|strangl(?:e|es|ing)|poison(?:s|ing)?|attack(?:s|ing)?|punch(?:es|ing)?"
)
_HARMED = r"killed|murdered|stabbed|shot|strangled|poisoned|punched|attacked"
_SOMEONE = (
    r"(?:them|him|her|you|people|someone|somebody|everyone|everybody|(?:my|his|their|your|the)"
    r"\W+(?:neighbou?rs?|wife|husband|boss|brother|sister|teacher|family|man|woman|enemies))"
    r"(?!\W+an?\b)"  # "I will shoot you an email"
)
_HARM_SOMEONE = rf"(?:{_HARM})(?:\W+(?:all|both|most|some|one|of))*\W+(?:{_SOMEONE})"
_WILL = (
    r"want(?:s|ed)?|will|going|gonna|should|must|let's|plan(?:s|ned|ning)?|I'll|we'll"
)
_GROUP = (
    r"foreigners|immigrants|refugees|women|men|old people|unbelievers|minorities"
    r"|people (?:of|from|with) \w+|(?:those|these|that) (?:people|race|religion)"
)
_LOW = r"inferior|subhuman|vermin|worthless|disgusting|scum|parasites|filthy"
_SELF = r"myself|ourselves|yourself|himself|herself|themselves"
_HARM_SELF = r"kill(?:ing)?|hurt(?:ing)?|harm(?:ing)?|cut(?:ting)?"
_THEY_ARE = r"you(?: are|'re)|(?:he|she)(?: is|'s)|they(?: are|'re)"
_INSULT = r"idiots?|stupid|losers?|pathetic|morons?|worthless|scum|vermin"
_HOW = r"how to|how do I|(?:best|easiest|quickest) way to|ways to|steps to|instructions"
_CHILD = r"child|children|minors?|underage|schoolgirls?|schoolboys?|teenagers?"
_SEX = (
    r"sex(?!\W+education)|sexual(?:ly)?|erotic|naked|nude|porn(?:ography)?|aroused"
    r"|seduc(?:e|ed|ing|tive)"
)

_SIGNS = (
    _sign("violence", 0.55, _HARM_SOMEONE),
    _sign("violence", 0.75, _WILL, _HARM_SOMEONE),
    _sign("violence", 0.55, rf"(?:{_HARMED})\W+(?:{_SOMEONE})"),
    _sign(
        "violence",
        0.35,
        r"murder(?:er|ous)?|massacre|slaughter|bloodshed|assassinat\w+",
    ),
    _sign(
        "violence", 0.30, r"threat(?:en|ens|ened|ening)|beat(?:en)? up|weapons?|bombs?"
    ),
    _sign(
        "violence",
        0.60,
        r"blood\w*|wounds?|corpses?",
        r"everywhere|floor|walls?|gush\w*",
    ),
    _sign(
        "violence/graphic",
        0.70,
        r"blood\w*",
        r"everywhere|floor|walls?|gush\w*|pool\w*",
    ),
    _sign(
        "violence/graphic", 0.60, r"gor(?:e|y)|mutilat\w+|dismember\w*|disembowel\w*"
    ),
    _sign("violence/graphic", 0.40, r"open wounds?|corpses?|severed"),
    _sign("hate", 0.75, r"hate|despise|detest|loathe", _GROUP),
    _sign("hate", 0.70, _GROUP, r"are|is", _LOW),
    _sign("hate", 0.60, _GROUP, r"should|must", r"banned|expelled|disappear|be gone"),
    _sign("hate", 0.70, _HARM, _GROUP),
    _sign("hate/threatening", 0.75, _HARM, _GROUP),
    _sign("violence", 0.60, _HARM, _GROUP),
    _sign("harassment", 0.60, _THEY_ARE, _INSULT),
    _sign("harassment", 0.60, r"nobody|no one", r"likes|loves|wants", r"you"),
    _sign("harassment", 0.60, r"everyone|everybody", r"hates|despises", r"you"),
    _sign("harassment", 0.55, _WILL, _HARM_SOMEONE),
    _sign("harassment/threatening", 0.60, _WILL, _HARM_SOMEONE),
    _sign("self-harm", 0.85, _HARM_SELF, _SELF),
    _sign("self-harm/intent", 0.75, rf"I|I'm|{_WILL}", _HARM_SELF, "myself|ourselves"),
    _sign("self-harm/intent", 0.70, r"I(?:'m| am| feel) suicidal|I want to die"),
    _sign("self-harm/intent", 0.70, r"end my (?:own )?life"),
    _sign("self-harm/instructions", 0.75, _HOW, _HARM_SELF, _SELF),
    _sign(
        "self-harm/instructions",
        0.70,
        _HOW,
        r"commit|attempt|hide",
        r"suicide|self-harm",
    ),
    _sign(
        "self-harm", 0.80, r"suicid(?:e|al)|self-harm|end my (?:own )?life|want to die"
    ),
    _sign("sexual", 0.60, _SEX),
    _sign("sexual", 0.50, r"explicit|steamy", r"scenes?|story|pictures?"),
    _sign("sexual/minors", 0.60, _SEX, _CHILD),
    _sign("sexual/minors", 0.60, _CHILD, _SEX),
)
