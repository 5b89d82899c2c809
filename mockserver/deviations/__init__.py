"""Every deliberate fault: written ones by resource, and families from the spec."""

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from mockserver.deviation import Deviation
from spec import Spec, load
from spec.pages import editions


@cache
def deviations(spec: Spec) -> dict[str, Deviation]:
    """All deviations from this edition by id.

    Raises ValueError where two share an id, or one names a clause that is not said.
    """
    found: dict[str, Deviation] = {}
    said = {id for edition in editions() for id in load(edition).clauses}
    for module in iter_modules(__path__):
        room = import_module(f"{__name__}.{module.name}")
        for one in (*getattr(room, "DEVIATIONS", ()), *_derived(room, spec)):
            if one.id in found or one.noticed_by not in said:
                raise ValueError(f"expected a new id and a known clause, got {one!r}")
            found[one.id] = one
    return {id: one for id, one in found.items() if one.noticed_by in spec.clauses}


def _derived(room: object, spec: Spec) -> tuple[Deviation, ...]:
    derive = getattr(room, "derive", None)
    return tuple(derive(spec)) if derive else ()
