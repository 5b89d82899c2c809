"""Pictures that answers point to: shown to whoever has the url, until it expires."""

from contextlib import suppress
from typing import Any

from mockserver.context import Context, House

PICTURE = "/images/{name}"
"""The path of a url, outside the API."""
KIND = "picture"
ANYONE = ""  # a url works without a key, so a picture belongs to no organisation


def hung(picture: bytes, lifetime: int, context: Context) -> str:
    """The url of a new picture, for so many seconds of its maker's clock."""
    house, name = context.house, context.house.ids.new("img-", 24) + ".png"
    _clear(house)
    row = {
        "id": name,
        "bytes": len(picture),
        "organization": context.caller.organization.id,
        "until": context.now + lifetime,
    }
    house.store.write(name, [picture])
    house.store.put(KIND, ANYONE, row)
    house.pictures.append(row)
    return context.origin + PICTURE.format(name=name)


def shown(house: House, name: str) -> bytes | None:
    """The picture of this name, or None where it was never there or is no more."""
    row = house.store.get(KIND, ANYONE, name)
    if row is None or _expired(row, house):
        return None
    try:
        return b"".join(house.store.read(name, row["bytes"]))
    except LookupError:  # cleared away meanwhile
        return None


def _clear(house: House) -> None:
    """Forget the pictures that have expired, until one has not."""
    with suppress(IndexError):  # none is left
        while _expired(row := house.pictures.popleft(), house):
            house.store.drop(KIND, ANYONE, row["id"])
            house.store.forget(row["id"])
        house.pictures.appendleft(row)


def _expired(row: dict[str, Any], house: House) -> bool:
    moved = house.accounts.organization(row["organization"]).moved
    return bool(house.clock.later(moved).now() >= row["until"])
