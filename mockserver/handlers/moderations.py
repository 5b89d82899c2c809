"""Whether texts break the content policy."""

from collections.abc import Sequence
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
        "results": [_result(text) for text in texts],
    }
    return Reply(body, model=model)


def _result(text: str) -> dict[str, Any]:
    from reference_model.moderate import flagged, scores

    found = scores(text)
    categories = flagged(found)
    return {
        "categories": categories,
        "category_scores": found,
        "flagged": any(categories.values()),
    }
