"""The models that a key may use."""

from dataclasses import dataclass
from typing import Any

from mockserver.context import Context
from mockserver.registry import handles
from mockserver.reply import Reply
from spec.model import Model


@dataclass(frozen=True)
class ListModels:
    """Nothing to say."""


@dataclass(frozen=True)
class OneModel:
    """The model of the path."""

    model: str


@handles("listModels")
def list_models(request: ListModels, context: Context) -> Reply:
    data = [described(model, context) for model in context.models().values()]
    return Reply({"object": "list", "data": data})


@handles("retrieveModel")
def retrieve_model(request: OneModel, context: Context) -> Reply:
    return Reply(described(context.model(request.model), context))


@handles("deleteModel")
def delete_model(request: OneModel, context: Context) -> Reply:
    context.model(request.model)
    if request.model in context.house.spec.models:
        raise context.refuse("not-deletable", model=request.model)
    if context.caller.role != "owner":
        raise context.refuse("not-owner")
    context.house.store.drop("model", context.caller.organization.id, request.model)
    return Reply({"id": request.model, "object": "model", "deleted": True})


def described(model: Model, context: Context) -> dict[str, Any]:
    """A model as the API shows it in this edition."""
    shown = context.house.spec.operations["retrieveModel"].reply["properties"]
    return {name: value for name, value in _row(model).items() if name in shown}


def _row(model: Model) -> dict[str, Any]:
    return {
        "id": model.id,
        "object": "model",
        "created": model.created,
        "owned_by": model.owner,
        "permission": [_permission(model)],
        "root": model.id,
        "parent": None,
    }


def _permission(model: Model) -> dict[str, Any]:
    return {
        "id": f"modelperm-{model.id}",
        "object": "model_permission",
        "created": model.created,
        "allow_create_engine": False,
        "allow_sampling": bool({"completions", "chat"} & set(model.endpoints)),
        "allow_logprobs": "completions" in model.endpoints,
        "allow_search_indices": False,
        "allow_view": True,
        "allow_fine_tuning": "fine-tunes" in model.endpoints,
        "organization": "*",
        "group": None,
        "is_blocking": False,
    }
