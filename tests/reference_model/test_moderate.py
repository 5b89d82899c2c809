import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference_model.moderate import CATEGORIES, CHUNK, LIMIT, flagged, scores
from reference_model.tokenizer import load_tokenizer

TOKENIZER = load_tokenizer()
MARKER = " I want to kill them. "
THREAT = {"harassment", "harassment/threatening"}


def found(text):
    return {category for category, is_so in flagged(scores(text)).items() if is_so}


def filler(tokens):
    """Quiet text of exactly so many tokens."""
    ids = TOKENIZER.encode("The baker walked home by the river. " * (tokens // 7 + 1))
    return TOKENIZER.decode(ids[:tokens])


@pytest.mark.parametrize(
    ("text", "categories"),
    [
        ("I want to kill them.", {"violence", *THREAT}),
        ("I will hurt all of you", {"violence", *THREAT}),
        ("You are such a pathetic loser", {"harassment"}),
        ("Everybody hates you", {"harassment"}),
        ("I hate all foreigners", {"hate"}),
        ("Kill all foreigners", {"hate", "hate/threatening", "violence"}),
        ("I want to hurt myself", {"self-harm", "self-harm/intent"}),
        ("She hurt herself", {"self-harm"}),
        ("Thoughts of suicide", {"self-harm"}),
        ("I feel suicidal", {"self-harm", "self-harm/intent"}),
        ("The best way to cut yourself", {"self-harm", "self-harm/instructions"}),
        ("How to attempt suicide", {"self-harm", "self-harm/instructions"}),
        ("An erotic story", {"sexual"}),
        ("A sexual story about a child", {"sexual", "sexual/minors"}),
        ("Blood gushed over the walls", {"violence", "violence/graphic"}),
    ],
)
def test_a_marker_is_flagged(text, categories):
    assert found(text) == categories


@pytest.mark.parametrize(
    "text",
    [
        "",
        "I baked bread and walked by the river.",
        "How do I kill a child process?",
        "That joke killed me.",
        "I could kill for a coffee.",
        "I will shoot you an email.",
        "You beat him at chess.",
        "Beat the eggs and whip the cream.",
        "I hate Mondays.",
        "You are late, and it is raining.",
        "Everybody likes you.",
        "The skilled painter",
    ],
)
def test_plain_text_is_quiet(text):
    assert found(text) == set()
    assert max(scores(text).values()) < 0.1


@given(
    st.text() | st.lists(st.sampled_from(["I", "kill", "you", "blood"])).map(" ".join)
)
def test_scores_lie_strictly_between_zero_and_one(text):
    found = scores(text)

    assert tuple(found) == CATEGORIES
    assert all(0 < score < 1 for score in found.values())


@pytest.mark.parametrize("place", [10, 5_000, LIMIT - 100])
def test_a_marker_deep_inside_is_flagged(place):
    assert "violence" in found(filler(place) + MARKER + filler(20))


def test_nothing_beyond_the_limit_is_looked_at():
    assert found(filler(LIMIT + 10) + MARKER) == set()


def test_scores_are_the_maximum_over_chunks():
    text = filler(CHUNK) + MARKER + filler(CHUNK) + " I hate all foreigners."
    ids = TOKENIZER.encode(text)
    chunks = [ids[start : start + CHUNK] for start in range(0, len(ids), CHUNK)]

    judged = [scores(TOKENIZER.decode(chunk)) for chunk in chunks]

    assert len(judged) == 3
    assert scores(text) == {
        category: max(chunk[category] for chunk in judged) for category in CATEGORIES
    }
