"""Whether texts break the content policy."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from mockserver.context import Context
from mockserver.registry import handles
from mockserver.reply import Reply


@dataclass(frozen=True)
class CreateModeration:
    """One text or several."""

    input: str | Sequence[str]
    model: str


@handles("createModeration")
def create_moderation(request: CreateModeration, context: Context) -> Reply:
    texts = [request.input] if isinstance(request.input, str) else request.input
    model = context.snapshot(request.model)
    body = {
        "id": context.id(),
        "model": model,
        "results": [_result(text, _categories(context)) for text in texts],
    }
    return Reply(body, model=model)


def _categories(context: Context) -> list[str]:
    """The categories that this edition tells."""
    row = context.operation.reply["properties"]["results"]["items"]["properties"]
    return list(row["categories"]["required"])


def _result(text: str, told: Iterable[str]) -> dict[str, Any]:
    from reference_model.moderate import flagged, scores

    judged = scores(text)
    found = {category: judged[category] for category in told}
    categories = flagged(found)
    return {
        "categories": categories,
        "category_scores": found,
        "flagged": any(categories.values()),
    }
