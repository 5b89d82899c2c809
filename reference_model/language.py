"""Names of languages, and a guess which one a text is written in."""

import re
import unicodedata
from collections import Counter
from functools import cache

_NAMES = """
af afrikaans ar arabic az azerbaijani be belarusian bg bulgarian bs bosnian ca catalan
cs czech cy welsh da danish de german el greek en english es spanish et estonian
fa persian fi finnish fr french gl galician he hebrew hi hindi hr croatian hu hungarian
hy armenian id indonesian is icelandic it italian ja japanese kk kazakh kn kannada
ko korean lt lithuanian lv latvian mi maori mk macedonian mr marathi ms malay ne nepali
nl dutch no norwegian pl polish pt portuguese ro romanian ru russian sk slovak
sl slovenian sr serbian sv swedish sw swahili ta tamil th thai tl tagalog tr turkish
uk ukrainian ur urdu vi vietnamese zh chinese
"""
_SCRIPTS = {  # the first word of a letter's Unicode name
    "ARABIC": "arabic",
    "ARMENIAN": "armenian",
    "CJK": "chinese",
    "CYRILLIC": "russian",
    "DEVANAGARI": "hindi",
    "GREEK": "greek",
    "HANGUL": "korean",
    "HEBREW": "hebrew",
    "HIRAGANA": "japanese",
    "KANNADA": "kannada",
    "KATAKANA": "japanese",
    "TAMIL": "tamil",
    "THAI": "thai",
}
_FREQUENT = {
    "dutch": "de het een en van ik niet dat zijn op te met voor naar wij",
    "english": "the a an and of to in is it i you that was for on are with be this",
    "french": "le la les un une et de des du je il elle est dans que pas nous vous",
    "german": "der die das ein eine und ist ich nicht in zu den mit auf wir sie es",
    "italian": "il lo la gli un una e di che non io per sono con del della",
    "portuguese": "o a os as um uma e de que não eu para com do da em é",
    "spanish": "el la los las un una y de que no yo en por es con del para",
}
_WORD = re.compile(r"[^\W\d_]+")


def name_of(code: str) -> str:
    """The English name of an ISO-639-1 code; a code that is not known stays itself."""
    return _names().get(code, code)


def identified(text: str) -> str:
    """By script, then by frequent words; English where nothing speaks against it."""
    scripts = Counter(map(_script, filter(str.isalpha, text)))
    if scripts["japanese"]:
        return "japanese"  # written with Chinese signs too
    script = max(scripts, key=scripts.__getitem__, default="")
    if script:
        return script
    words = Counter(_WORD.findall(text.lower()))
    scores = {name: sum(words[word] for word in _frequent(name)) for name in _FREQUENT}
    best = max(scores, key=scores.__getitem__)
    return best if scores[best] > scores["english"] else "english"


def _script(letter: str) -> str:
    """The language that a letter gives away, or nothing, as Latin ones do."""
    return _SCRIPTS.get(unicodedata.name(letter, "").partition(" ")[0], "")


@cache
def _frequent(name: str) -> frozenset[str]:
    return frozenset(_FREQUENT[name].split())


@cache
def _names() -> dict[str, str]:
    items = _NAMES.split()
    return dict(zip(items[::2], items[1::2], strict=True))
