"""How tokens are drawn: two of them isolated, their shares known, and counted."""

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING

from conformance import causes
from conformance.dialect import COMPLETIONS, Dialect, both
from conformance.notebook import Point, Series, Span
from conformance.registry import Findings, check
from conformance.statistics import (
    ALARM,
    REQUESTS,
    Verdict,
    judged,
    rounds,
    sampled,
    shares,
    together,
)
from conformance.titration import Balance, balance
from conformance.view import Absent

if TYPE_CHECKING:
    from conformance.target import Target

STEEPNESS = 2.0
"""Log odds at which a wrong scale shows best."""
TOLERATED = 1.6
"""A scale that is wrong by this factor may pass."""
TEMPERATURES = (0.5, 2.0)
CUT, KEPT = 0.5, 0.9
"""Nuclei below the likelier share and above it."""
LIKELIER = 0.85
"""Log odds of the likelier token: a share of 0.7."""
LOOKS = 48  # draws in which a share of 0.3 is not missed
CANDIDATES = 4


@both("temperature-scale", slow=True)
def temperature_scale(target: "Target", dialect: Dialect) -> Findings:
    """Sequential tests of the shares of two tokens at two temperatures."""
    scale = balance(target, dialect)
    for heat in TEMPERATURES:
        yield from _shared(target, scale, STEEPNESS * heat, heat)


def odds(target: "Target", dialect: Dialect) -> Findings:
    """Whether a bias is worth as much in the shares as it says."""
    yield from _shared(target, balance(target, dialect), STEEPNESS, 1)


def _shared(target: "Target", scale: Balance, above: float, heat: float) -> Findings:
    """The second token's share where it stands ``above`` the first one's logit."""
    added = scale.grid(scale.zero.middle + above, 1)
    logits = scale.logits(added).over(heat)
    law = shares(logits)
    wide = Span(logits.low / TOLERATED, logits.high * TOLERATED)
    found = judged(sampled(scale, added, temperature=heat), law, shares(wide))
    name = f"temperature {heat:g}"
    target.notebook.draw(_drawn(f"Share of a token at {name}", found, law, name))
    _conclusive(found)
    if not found.kept:
        target.notebook.blame(causes.of_share(found.seen, above, heat))
        yield (
            f"at temperature {heat:g} a token {above:g} above the other had a share of "
            f"{found.share:.3f} in {found.draws} draws instead of {law.middle:.3f}"
        )


def _drawn(title: str, found: Verdict, law: Span, label: str) -> Series:
    return Series(
        title=title,
        instrument="sampling",
        kind="shares",
        points=[Point(0, found.seen, label)],
        expected=[(0, law.middle)],
        up="share",
        note=f"{found.draws} draws; false alarm at most {ALARM:g}",
    )


def _conclusive(found: Verdict) -> None:
    if found.kept is None:
        raise Absent(f"clear share in {found.draws} draws: it was {found.share:.3f}")


@both("top-p-cut", slow=True)
def top_p_cut(target: "Target", dialect: Dialect) -> Findings:
    """A nucleus of 0.5 beside a token whose share is known to be larger."""
    scale, added, law = _uneven(target, dialect)
    seen = _looked(scale, added, CUT)
    target.notebook.draw(_nucleus(seen, CUT, 0.0))
    if any(seen):
        yield (
            f"with top_p {CUT} the token with a share of {law.middle:.2f} was drawn "
            f"{sum(seen)} times in {len(seen)}"
        )


@both("top-p-keeps", slow=True)
def top_p_keeps(target: "Target", dialect: Dialect) -> Findings:
    """A nucleus of 0.9 that the likelier token does not fill."""
    scale, added, law = _uneven(target, dialect)
    seen = _looked(scale, added, KEPT)
    target.notebook.draw(_nucleus(seen, KEPT, law.middle))
    if not any(seen):
        yield (
            f"with top_p {KEPT} the token with a share of {law.middle:.2f} was not "
            f"drawn in {len(seen)}"
        )


def _uneven(target: "Target", dialect: Dialect) -> tuple[Balance, float, Span]:
    """Two tokens, of which the first is likelier, and the share of the second."""
    scale = balance(target, dialect)
    added = scale.grid(scale.zero.low - LIKELIER, 1)
    return scale, added, shares(scale.logits(added))


def _looked(scale: Balance, added: float, top_p: float) -> list[bool]:
    """Draws of the second token; raises Absent where there are too few."""
    seen = list(islice(sampled(scale, added, top_p=top_p), LOOKS))
    if len(seen) < LOOKS:
        raise Absent(f"{LOOKS} draws in {REQUESTS} requests")
    return seen


def _nucleus(seen: list[bool], top_p: float, due: float) -> Series:
    found = Verdict(None, sum(seen), len(seen))
    law = Span(due, due)
    return _drawn("Share of the less likely token", found, law, f"top_p {top_p:g}")


@both("n-independent", slow=True)
def n_independent(target: "Target", dialect: Dialect) -> Findings:
    """Neighbouring choices of one request, alike or not."""
    found = together(balance(target, dialect))
    if not found.draws:
        raise Absent("second choice of one request")
    law = Span(0.5, 0.5)
    title = "Share of neighbouring choices that are alike"
    target.notebook.draw(_drawn(title, found, law, "of one request"))
    _conclusive(found)
    if not found.kept:
        yield (
            f"of {found.draws} pairs of choices {found.hits} were alike, where each "
            "choice had even odds"
        )


@check("completions.best-of-independent", slow=True)
def best_of_independent(target: "Target") -> Findings:
    """The best of four is the likelier token unless all four are the other one."""
    scale = balance(target, COMPLETIONS)
    added = scale.grid(scale.zero.low - LIKELIER, 1)
    seldom = shares(scale.logits(added))
    law = Span(seldom.low**CANDIDATES, seldom.high**CANDIDATES)
    wide = Span(0.0, seldom.low * 0.7)

    def best() -> Iterator[bool]:
        for one in rounds(scale, added, 1, best_of=CANDIDATES):
            yield from one

    found = judged(best(), Span(0.0, law.high), wide)
    label = f"best of {CANDIDATES}"
    target.notebook.draw(_drawn("Share of the less likely token", found, law, label))
    _conclusive(found)
    if not found.kept:
        yield (
            f"of the best of {CANDIDATES} the less likely token had a share of "
            f"{found.share:.3f} in {found.draws} instead of {law.middle:.3f}"
        )
