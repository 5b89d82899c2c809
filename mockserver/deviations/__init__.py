"""Every deliberate fault: written ones by resource, and families from the spec."""

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from mockserver.deviation import Deviation
from spec import Spec


@cache
def deviations(spec: Spec) -> dict[str, Deviation]:
    """All deviations by id.

    Raises ValueError where two share an id, or one names a clause that is not said.
    """
    found: dict[str, Deviation] = {}
    for module in iter_modules(__path__):
        room = import_module(f"{__name__}.{module.name}")
        for one in (*getattr(room, "DEVIATIONS", ()), *_derived(room, spec)):
            if one.id in found or one.noticed_by not in spec.clauses:
                raise ValueError(f"expected a new id and a known clause, got {one!r}")
            found[one.id] = one
    return found


def _derived(room: object, spec: Spec) -> tuple[Deviation, ...]:
    derive = getattr(room, "derive", None)
    return tuple(derive(spec)) if derive else ()
