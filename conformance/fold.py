"""Adds the chunks of a stream up to the object that they stand for."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from conformance.view import Absent, plain, view

WAYS = ("join", "extend", "first", "last", "merge")


def fold(
    chunks: Sequence[Mapping[str, Any]], recipe: Mapping[str, Any]
) -> dict[str, Any]:
    """The unstreamed object, by the recipe of the spec's ``x-stream``.

    The first chunk gives the other keys. Raises Absent where a chunk lacks what makes
    it one, such as a choice's index.
    """
    if not chunks:
        raise Absent("chunk")
    seen = [view(plain(chunk), f"chunk {n}") for n, chunk in enumerate(chunks)]
    whole = {key: value for key, value in plain(seen[0]).items() if key != "choices"}
    whole["object"] = recipe["object"]
    pieces: dict[int, list[Any]] = {}
    for choice in (choice for chunk in seen for choice in chunk["choices"]):
        pieces.setdefault(choice["index"], []).append(choice)
    whole["choices"] = [_choice(pieces[index], recipe) for index in sorted(pieces)]
    return whole


def _choice(pieces: Sequence[Any], recipe: Mapping[str, Any]) -> dict[str, Any]:
    """One choice; what the recipe does not name is taken from the first piece."""
    whence, where = recipe.get("from"), recipe.get("to")
    sides = [piece[whence] for piece in pieces] if whence else pieces
    inner = _added(sides, recipe)
    outer = _added(pieces, {**recipe, "join": ()}) if whence else inner
    named = {*_names(recipe), whence}
    kept = {key: v for key, v in plain(pieces[0]).items() if key not in named}
    return {**kept, where: inner, **outer} if where else {**kept, **inner}


def _names(recipe: Mapping[str, Any]) -> set[str]:
    return {name.partition(".")[0] for how in WAYS for name in recipe.get(how, ())}


def _added(pieces: Iterable[Any], recipe: Mapping[str, Any]) -> dict[str, Any]:
    """The named fields that any piece has, put together as the recipe says."""
    rows = [plain(piece) for piece in pieces]
    total: dict[str, Any] = {}
    for how, put in (("join", _join), ("first", _first), ("last", _last)):
        for name in recipe.get(how, ()):
            values = [row[name] for row in rows if name in row]
            if values:
                total[name] = put(values)
    for name, joined in recipe.get("merge", {}).items():
        values = [row[name] for row in rows if row.get(name) is not None]
        if values:
            total[name] = _merge(values, joined)
    for name in recipe.get("extend", ()):
        _extend(total, name, rows)
    return total


def _merge(values: Sequence[Any], joined: Sequence[str]) -> Any:
    """Objects, or lists of objects by index, whose ``joined`` texts come in pieces."""
    if not isinstance(values[0], list):
        return _piled([value for value in values if isinstance(value, dict)], joined)
    items: dict[int, list[Any]] = {}
    for item in (item for value in values for item in value):
        bare = {key: v for key, v in item.items() if key != "index"}
        items.setdefault(item.get("index", 0), []).append(bare)
    return [_piled(items[index], joined) for index in sorted(items)]


def _piled(parts: Sequence[Any], joined: Sequence[str]) -> dict[str, Any]:
    """One object of its parts: the ``joined`` texts in a row, else what came first."""
    whole: dict[str, Any] = {}
    for key in dict.fromkeys(key for part in parts for key in part):
        held = [part[key] for part in parts if part.get(key) is not None]
        inside = [n.partition(".")[2] for n in joined if n.startswith(f"{key}.")]
        if key in joined:
            whole[key] = _join(held)
        elif inside and held:
            whole[key] = _piled(held, inside)
        else:
            whole[key] = _first(held)
    return whole


def _join(values: Sequence[Any]) -> str:
    return "".join(value for value in values if isinstance(value, str))


def _first(values: Sequence[Any]) -> Any:
    return next((value for value in values if value is not None), None)


def _last(values: Sequence[Any]) -> Any:
    return _first(values[::-1])


def _extend(
    total: dict[str, Any], name: str, rows: Sequence[Mapping[str, Any]]
) -> None:
    """Adds lists up at a dotted name; an object that is always null stays null."""
    outer, _, inner = name.partition(".")
    held = [row[outer] for row in rows if outer in row]
    if not inner:
        lists = [value for value in held if isinstance(value, list)]
        if held:
            total[outer] = [item for part in lists for item in part] if lists else None
        return
    objects = [value for value in held if isinstance(value, Mapping)]
    if held and total.get(outer) is None:
        total[outer] = dict(objects[0]) if objects else None
    if objects:
        _extend(total[outer], inner, objects)
