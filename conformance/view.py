"""A reply read through a view: what is missing says where it was looked for."""

from collections.abc import Iterator
from typing import Any, SupportsIndex


class Absent(Exception):  # noqa: N818  # the word of the house
    """A reply lacks what the check reads on its way to something else."""

    def __init__(self, path: str) -> None:
        super().__init__(f"the check found no {path}")
        self.path = path


class View(dict[str, Any]):
    """An object of a reply; a key that it lacks raises Absent with the path."""

    def __init__(self, value: dict[str, Any], path: str = "") -> None:
        super().__init__(value)
        self._path = path

    def __getitem__(self, key: Any) -> Any:
        if key not in self:
            raise Absent(self._place(key))
        return view(super().__getitem__(key), self._place(key))

    def get(self, key: str, default: Any = None) -> Any:
        return view(super().get(key, default), self._place(key))

    def values(self) -> Any:
        return {key: self[key] for key in self}.values()

    def items(self) -> Any:
        return {key: self[key] for key in self}.items()

    def _place(self, key: object) -> str:
        return f"{self._path}.{key}" if self._path else str(key)

    @property
    def plain(self) -> dict[str, Any]:
        """The same without the view."""
        return dict(super().items())


class Rows(list[Any]):
    """An array of a reply; an index that it lacks raises Absent with the path."""

    def __init__(self, value: list[Any], path: str = "") -> None:
        super().__init__(value)
        self._path = path

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return list(self)[index]
        path = f"{self._path}[{index}]"
        if not isinstance(index, int) or not -len(self) <= index < len(self):
            raise Absent(path)
        return view(super().__getitem__(index), path)

    def __iter__(self) -> Iterator[Any]:
        return (self[index] for index in range(len(self)))

    def __reversed__(self) -> Iterator[Any]:
        return (self[index] for index in reversed(range(len(self))))

    def pop(self, index: SupportsIndex = -1) -> Any:
        last = self[index]
        super().pop(index)
        return last

    @property
    def plain(self) -> list[Any]:
        """The same without the view."""
        return list(super().__iter__())


def view(value: Any, path: str = "") -> Any:
    """``value`` seen through a view, if it holds anything; a scalar stays itself."""
    match value:
        case View() | Rows():
            return value
        case dict():
            return View(value, path)
        case list():
            return Rows(value, path)
        case _:
            return value


def plain(value: Any) -> Any:
    """``value`` without its view."""
    return value.plain if isinstance(value, View | Rows) else value
