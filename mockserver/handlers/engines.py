"""The models under their old name: each that is not fine-tuned is an engine."""

from dataclasses import dataclass
from typing import Any

from mockserver.context import Context
from mockserver.registry import handles
from mockserver.reply import Reply
from spec.model import Model


@dataclass(frozen=True)
class ListEngines:
    """Nothing to say."""


@dataclass(frozen=True)
class OneEngine:
    """The engine of the path."""

    engine_id: str


@handles("listEngines")
def list_engines(request: ListEngines, context: Context) -> Reply:
    return Reply({"object": "list", "data": list(_engines(context).values())})


@handles("retrieveEngine")
def retrieve_engine(request: OneEngine, context: Context) -> Reply:
    found = _engines(context).get(request.engine_id)
    if found is None:
        raise context.refuse("model-not-found", model=request.engine_id[:100])
    return Reply(found)


def _engines(context: Context) -> dict[str, dict[str, Any]]:
    base = context.house.spec.models
    return {id: _engine(m) for id, m in context.models().items() if id in base}


def _engine(model: Model) -> dict[str, Any]:
    return {
        "id": model.id,
        "object": "engine",
        "created": None,
        "owner": model.owner,
        "ready": True,
    }
