"""Says how the API refuses a body: by its schema first, then by its rules."""

from collections.abc import Collection, Mapping

from spec.model import Json, Operation, Refusal
from spec.rules import broken
from spec.schema import cut


def refusal(
    operation: Operation, body: Mapping[str, Json], forgotten: Collection[str] = ()
) -> Refusal | None:
    """The refusal that ``body`` meets, or None; ``forgotten`` rules are not asked."""
    found = _schema_refusal(operation, body)
    if found is not None:
        return found
    rules = (rule for rule in operation.rules if rule.id not in forgotten)
    return next((rule.refuse for rule in broken(rules, body)), None)


def _schema_refusal(operation: Operation, body: Mapping[str, Json]) -> Refusal | None:
    schema, known = operation.request, operation.refusals
    if schema is None or schema.valid(body):
        return None
    if (
        "missing-model" in known
        and body.get("model") is None
        and ("model" in schema.node["required"])
    ):
        return known["missing-model"]
    foreign = sorted(set(body) - set(schema.node["properties"]))
    if foreign and "unknown-argument" in known:
        return known["unknown-argument"].worded(names=cut(", ".join(foreign)))
    fault = next(schema.faults(body), "The body breaks the schema.")
    if "schema" in known:
        return known["schema"].worded(fault=fault)
    return Refusal("schema", 400, "invalid_request_error", None, None, fault)
