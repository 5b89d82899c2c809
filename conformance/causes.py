"""What is likely behind a measured deviation: a small catalogue."""

from collections.abc import Iterator, Sequence

from conformance.notebook import Span
from conformance.statistics import share

SLACK = 0.03
RARE = 1e-3


def of_penalty(name: str, figures: Sequence[tuple[int, Span]]) -> Iterator[str]:
    """What takes off this much for a unit, behind so many times each."""
    per_count = name == "frequency_penalty"
    counts, spans = zip(*figures, strict=True)
    due = [count if per_count else 1 for count in counts]
    if _fit(spans, [0] * len(due)):
        yield "The penalty is ignored."
    if _fit(spans, [-one for one in due]):
        yield "The penalty has the opposite sign."
    if len(counts) > 1 and _fit(spans, [1 if per_count else c for c in counts]):
        yield (
            "It is taken once: the presence penalty acts in its place."
            if per_count
            else "It grows with the count: the frequency penalty acts in its place."
        )
    scale = spans[0].middle / due[0]
    if _fit(spans, [scale * one for one in due]):
        yield (
            f"The penalty is scaled by {scale:.2f}, or the bias by {1 / scale:.2f}."
            if scale
            else "The penalty is ignored."
        )


def _fit(spans: Sequence[Span], values: Sequence[float]) -> bool:
    return all(
        span.fits(value, SLACK) for span, value in zip(spans, values, strict=True)
    )


def of_prompt(lost: Span, frequency: float, presence: float) -> str:
    """What takes penalties off a token that only the prompt holds."""
    counted = (lost.middle - presence) / frequency
    times = round(counted)
    if times > 0 and abs(counted - times) < SLACK:
        return (
            "The tokens of the prompt are counted as if they had been sampled: "
            f"{times} of the token."
        )
    return f"The prompt counts in part: {lost} was taken off."


def of_share(seen: Span, above: float, heat: float) -> Iterator[str]:
    """What gives a token that stands so far ``above`` another one this share."""
    if seen.high >= 1 - RARE:
        yield (
            "Less likely tokens are cut off: a min_p, top_p or top_k that nobody asked "
            "for, or a temperature of 0."
        )
    powers = {"ignored": 0, "squared": 2, "inverted": -1}
    for word, power in powers.items():
        if heat != 1 and seen.fits(share(above / heat**power)):
            yield f"The temperature is {word}."


def of_window(times: int) -> str:
    """What makes a penalty stop growing after so many tokens."""
    return f"The penalty sees the last tokens only: some {times}, or a few more."


def of_level(moved: Span, between: float) -> str:
    """What makes a flip point depend on the bias that both tokens have."""
    factor = 1 / max(1e-3, 1 - moved.middle / between)
    return (
        "A multiplicative repeat penalty that nobody asked for: the logits of repeated "
        f"tokens are divided by about {factor:.2f}."
    )
