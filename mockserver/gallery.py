"""Pictures that answers point to: shown to whoever has the url, until it expires."""

from mockserver.context import Context, House

PICTURE = "/images/{name}"
"""The path of a url, outside the API."""
KIND = "picture"


def hung(picture: bytes, lifetime: int, context: Context) -> str:
    """The url of a new picture, for so many seconds of its maker's clock."""
    house, maker = context.house, context.caller.organization.id
    name = house.ids.new("img-", 24) + ".png"
    until = context.now + lifetime
    house.store.expire(context.now, maker)
    row = {"id": name, "bytes": len(picture), "until": until}
    house.store.keep(KIND, maker, row, [picture], until=until)
    return context.origin + PICTURE.format(name=name)


def shown(house: House, name: str) -> bytes | None:
    """The picture of this name, or None where it was never there or is no more."""
    found = house.store.found(KIND, name)
    if found is None:
        return None
    maker, row = found
    moved = house.accounts.organization(maker).moved
    if house.clock.later(moved).now() >= row["until"]:
        return None
    try:
        return b"".join(house.store.read(name, row["bytes"]))
    except LookupError:  # cleared away meanwhile
        return None
