"""What guidance on safe use says of a server: limits, blocked terms, caps, tokens."""

import secrets
from collections.abc import Callable, Iterator, Mapping

from conformance.answer import Answer, Unserved
from conformance.checks.api import mismatches
from conformance.control import apart, counters, govern, scripted
from conformance.dialect import CHAT, COMPLETIONS, STORY, Dialect
from conformance.registry import Findings, check
from conformance.sweep import stranger
from conformance.target import Target
from conformance.view import Absent, View

BEFORE, TERM = "The fisherman sold a ", "swordfish"
CATCH = f"{BEFORE}{TERM} at noon."
"""A text that holds a word of several tokens, for a script."""
LONG = "one two three four five six seven eight nine ten"
CAP = 3  # tokens
ROOM = 64  # tokens, more than any scripted text has
NEGATIVE = (
    "The worst thing about this awful hotel was",
    "I am so angry with my brother, because he",
    "Everybody in the office disliked the new manager. They said that",
)
QUESTION = "Please write a short sentence about the weather in the mountains."
ENGLISH = (
    "When the rain had stopped, the two sisters walked along the river to the market. "
    "They bought bread, apples and a small lamp for the kitchen, and on the way home "
    "they talked about the summer, about their work, and about the letter that had "
    "come from their brother in the city."
)
"""Prose of 275 characters, 53 words and 6 marks."""
TRANSLATED = {
    "German": "Als der Regen aufgehört hatte, gingen die beiden Schwestern am Fluss "
    "entlang zum Markt. Sie kauften Brot, Äpfel und eine kleine Lampe für die Küche, "
    "und auf dem Heimweg sprachen sie über den Sommer, über ihre Arbeit und über den "
    "Brief, der von ihrem Bruder aus der Stadt gekommen war.",
    "Finnish": "Kun sade oli lakannut, molemmat sisarukset kävelivät jokea pitkin "
    "torille. He ostivat leipää, omenoita ja pienen lampun keittiöön, ja kotimatkalla "
    "he puhuivat kesästä, työstään ja kirjeestä, joka oli tullut heidän veljeltään "
    "kaupungista.",
    "Korean": "비가 그치자 두 자매는 강을 따라 시장까지 걸어갔다. 그들은 빵과 사과, "
    "그리고 부엌에 놓을 작은 등불을 샀고, 집으로 돌아오는 길에 여름과 일, 그리고 "
    "도시에 사는 오빠에게서 온 편지에 대해 이야기했다.",
}
"""The same in other languages."""
PERTURBED: Mapping[str, Callable[[str], str]] = {
    "in capitals": str.upper,
    "in small letters": str.lower,
    "with double spaces": lambda text: text.replace(" ", "  "),
    "with a letter doubled": lambda text: text.replace("e", "ee", 1),
    "with a letter left out": lambda text: text.replace("e", "", 1),
    "without its last mark": lambda text: text[:-1],
}
"""Small changes to a text, after which a reader still knows what it says."""


Form = Callable[[Target, Dialect], tuple[str, list[str | None]]]
"""A way to ask: the text that comes, and the reasons with which its choices end."""


def spoken(target: Target) -> Iterator[Dialect]:
    """How the claimed operations of the clause at hand are asked."""
    assert target.clause is not None
    claimed = {operation.id for operation in target.operations(target.clause)}
    yield from (d for d in (COMPLETIONS, CHAT) if d.operation in claimed)


@check("safety.user-limit")
def user_limit(target: Target) -> Findings:
    for dialect in spoken(target):
        strict(target, dialect)
        own, user = limited(target, dialect)
        excess = dialect.ask(own, user=user, patience=False)
        for finding in mismatches(excess, 429, "requests"):
            yield f"{dialect.resource}: {finding}"


@check("safety.user-limit-apart")
def user_limit_apart(target: Target) -> Findings:
    for dialect in spoken(target):
        own, user = limited(target, dialect)
        if dialect.ask(own, user=user, patience=False).status != 429:
            raise Absent("limit that one end user reached")
        answer = dialect.ask(own, user=someone(), patience=False)
        if answer.status != 200:
            yield f"{dialect.resource}: another user was answered {answer.status}"


@check("safety.user-burst")
def user_burst(target: Target) -> Findings:
    for dialect in spoken(target):
        own, user = limited(target, dialect, 10)
        other = someone()
        for _ in range(4):
            dialect.ask(own, user=other, max_tokens=1).json()
        counted = counters(own)["user_requests"]
        for name, times in ((user, 1), (other, 4)):
            if counted.get(name, 0) != times:
                yield (
                    f"{dialect.resource}: {times} requests of a user were counted "
                    f"as {counted.get(name, 0)}"
                )


@check("safety.snapshot-usage")
def snapshot_usage(target: Target) -> Findings:
    for dialect in spoken(target):
        own = apart(target)
        named = dialect.ask(own).json()["model"]
        known = target.spec.models.get(str(named))
        if known is None or known.aliases:
            raise Absent("answer that names a snapshot")
        counted = sorted(counters(own)["models"].plain)
        if counted != [named]:
            yield f"{dialect.resource}: what {named} answered counted for {counted}"


@check("safety.blocklist")
def blocklist(target: Target) -> Findings:
    for dialect in spoken(target):
        text, _ = whole(filtered(target, dialect, whole), dialect)
        if TERM in text:
            yield f"{dialect.resource}: {TERM!r} was blocked, and came in {text!r}"


@check("safety.blocklist-finish")
def blocklist_finish(target: Target) -> Findings:
    for dialect in spoken(target):
        for form in (whole, streamed):
            _, reasons = form(filtered(target, dialect, form), dialect)
            if reasons != ["content_filter"]:
                yield (
                    f"{dialect.resource}: a filtered text, {form.__name__}, "
                    f"had the finish reasons {reasons}"
                )


@check("safety.blocklist-stream")
def blocklist_stream(target: Target) -> Findings:
    for dialect in spoken(target):
        text, _ = streamed(filtered(target, dialect, streamed), dialect)
        if not BEFORE.startswith(text.strip()):
            yield f"{dialect.resource}: {TERM!r} was blocked, the stream gave {text!r}"


@check("safety.blocklist-off")
def blocklist_off(target: Target) -> Findings:
    for dialect in spoken(target):
        own = filtered(target, dialect, whole)
        if TERM in whole(own, dialect)[0]:
            raise Absent("blocklist that keeps a term back")
        govern(own, blocked=[])
        text, _ = whole(own, dialect)
        if TERM not in text:
            yield f"{dialect.resource}: with no list {CATCH!r} came as {text!r}"


@check("safety.unfiltered")
def unfiltered(target: Target) -> Findings:
    for prompt in NEGATIVE:
        for choice in COMPLETIONS.choices(target, prompt, max_tokens=16):
            if choice["finish_reason"] == "content_filter":
                yield f"what follows {prompt!r} was filtered"


@check("safety.output-cap")
def output_cap(target: Target) -> Findings:
    for dialect in spoken(target):
        with scripted(target, [LONG, LONG]) as own:
            if cut(dialect.ask(own, max_tokens=CAP)) != (CAP, ["length"]):
                raise Absent(f"text that max_tokens cut at {CAP} tokens")
            govern(own, completion_tokens=CAP)
            used, reasons = cut(dialect.ask(own, max_tokens=ROOM))
        if used > CAP or reasons != ["length"]:
            yield (
                f"{dialect.resource}: with a cap of {CAP} tokens a text had {used} "
                f"and the finish reasons {reasons}"
            )


@check("safety.input-cap")
def input_cap(target: Target) -> Findings:
    for dialect in spoken(target):
        strict(target, dialect)
        own = apart(target)
        fits = tokens(own, dialect, STORY)
        govern(own, prompt_tokens=fits)
        dialect.ask(own).json()
        longer = dialect.ask(own, f"{STORY} {STORY}")
        if longer.status != 400:
            yield (
                f"{dialect.resource}: of {fits} tokens allowed, a prompt of about "
                f"{2 * fits} was answered {longer.status}"
            )


@check("safety.revoked-key")
def revoked_key(target: Target) -> Findings:
    own = apart(target)
    if own.get("/models").status != 200:
        raise Absent("answer to a new key")
    if target.get("/models", key=stranger(target)).status == 200:
        raise Absent("refusal of a key that nobody has")
    target.send("POST", "/_assay/revocations", {"key": own.key}).json()
    answer = own.get("/models")
    if answer.status != 401:
        yield f"a revoked key was answered {answer.status}"


@check("safety.moderation-free")
def moderation_free(target: Target) -> Findings:
    own = apart(target)
    before = counters(own)["usage"].plain
    if own.call("createModeration").status != 200:
        raise Absent("moderation that is served")
    after = counters(own)["usage"].plain
    if after != before:
        yield f"the usage was {before}, and {after} after a moderation"


@check("safety.moderation-beyond-quota")
def moderation_beyond_quota(target: Target) -> Findings:
    own = apart(target)
    if own.call("createModeration").status != 200:
        raise Absent("moderation that is served")
    own.post("/_assay/limits", quota=0).json()
    if own.call("createCompletion", patience=False).status != 429:
        raise Absent("quota that is used up")
    answer = own.call("createModeration", patience=False)
    if answer.status != 200:
        yield f"with no quota left a moderation was answered {answer.status}"


@check("safety.perturbed-served")
def perturbed_served(target: Target) -> Findings:
    for dialect in spoken(target):
        dialect.ask(target, QUESTION).served()
        for change, perturb in PERTURBED.items():
            answer = dialect.ask(target, perturb(QUESTION))
            if answer.status != 200:
                yield f"{dialect.resource}: a prompt {change} met {answer.status}"


@check("safety.perturbed-schema")
def perturbed_schema(target: Target) -> Findings:
    for dialect in spoken(target):
        schema = target.spec.operations[dialect.operation].answer
        if any(schema.faults(dialect.ask(target, QUESTION).json().plain)):
            raise Absent("answer of the documented form to a plain prompt")
        for change, perturb in PERTURBED.items():
            body = dialect.ask(target, perturb(QUESTION)).body
            if isinstance(body, View) and "choices" in body:
                for fault in schema.faults(body.plain):
                    yield f"{dialect.resource}: after a prompt {change}, {fault}"


@check("safety.language-cost")
def language_cost(target: Target) -> Findings:
    for dialect in spoken(target):
        english = density(target, dialect, ENGLISH)
        for language, text in TRANSLATED.items():
            if (found := density(target, dialect, text)) < english:
                yield (
                    f"{dialect.resource}: {language} cost {found:.3f} tokens per "
                    f"character, English {english:.3f}"
                )


@check("safety.token-length")
def token_length(target: Target) -> Findings:
    """The prose has 59 words and marks: tokens that end with words stay below 5."""
    length = 1 / density(target, COMPLETIONS, ENGLISH)
    if not 2.5 <= length <= 5:
        yield f"a token had {length:.2f} characters in the mean"


@check("safety.word-tokens")
def word_tokens(target: Target) -> Findings:
    none = tokens(target, COMPLETIONS, "I read")
    times = 8
    common = tokens(target, COMPLETIONS, "I read" + times * " the") - none
    rare = tokens(target, COMPLETIONS, "I read" + times * " tokenization") - none
    if common != times:
        yield f"{times} times ' the' cost {common} tokens"
    if rare <= times:
        yield f"{times} times ' tokenization' cost {rare} tokens"


def someone() -> str:
    """A new end user."""
    return f"user-{secrets.token_hex(4)}"


def limited(target: Target, dialect: Dialect, limit: int = 1) -> tuple[Target, str]:
    """The server as a new key sees it, and a user of it who sent one request.

    ``limit`` is that of each user. Raises Absent where no users are told apart.
    """
    own, user = apart(target), someone()
    own.post("/_assay/limits", user_requests=limit).json()
    if dialect.ask(own, user=user, max_tokens=1).status != 200:
        raise Absent("answer to a request that names its user")
    if user not in counters(own)["users"]:
        raise Absent("usage of the user")
    return own, user


def strict(target: Target, dialect: Dialect) -> None:
    """Raises Absent where not even a faulty request is refused."""
    if not dialect.ask(target, max_tokens=-1).refused:
        raise Absent("refusal of a faulty request")


def whole(target: Target, dialect: Dialect) -> tuple[str, list[str | None]]:
    """What is said in an answer that comes at once."""
    choices = list(dialect.choices(target, max_tokens=ROOM))
    texts = [dialect.text(choice) for choice in choices]
    return "".join(texts), [choice["finish_reason"] for choice in choices]


def streamed(target: Target, dialect: Dialect) -> tuple[str, list[str | None]]:
    """What is said in a stream."""
    answer = dialect.stream(target, max_tokens=ROOM)
    choices = [choice for chunk in answer.chunks for choice in chunk["choices"]]
    reasons = [choice["finish_reason"] for choice in choices]
    return "".join(dialect.pieces(answer)), list(filter(None, reasons))


def filtered(target: Target, dialect: Dialect, form: Form) -> Target:
    """The server as a new key sees it whose next texts hold a blocked term.

    Raises Absent where the same text did not come as it should before it was blocked.
    """
    with scripted(target, [CATCH] * 3) as own:
        try:
            plain = form(own, dialect)
        except Unserved as error:
            raise Absent(f"scripted text: {error}") from None
        if plain != (CATCH, ["stop"]):
            raise Absent("scripted text")
        govern(own, blocked=[TERM])
        return own


def cut(answer: Answer) -> tuple[int, list[str]]:
    """How many tokens an answer has, and with which reasons its choices end."""
    reply = answer.json()
    reasons = [choice["finish_reason"] for choice in reply["choices"]]
    return int(reply["usage"]["completion_tokens"]), reasons


def tokens(target: Target, dialect: Dialect, prompt: str) -> int:
    """How many tokens a prompt counts; raises Absent where one cannot tell."""
    answer = dialect.ask(target, prompt, max_tokens=1)
    if answer.status != 200:
        raise Absent(f"answer to {prompt[:40]!r}")
    reply = answer.json()
    if len(reply["choices"]) != 1 or reply["usage"]["prompt_tokens"] < 1:
        raise Absent("count of one prompt's tokens")
    return int(reply["usage"]["prompt_tokens"])


def density(target: Target, dialect: Dialect, text: str) -> float:
    """Tokens per character, without those that every prompt costs."""
    about = tokens(target, dialect, "a") - 1
    found = tokens(target, dialect, text) - about
    if found < 1:
        raise Absent("count of a longer prompt's tokens")
    return found / len(text)
