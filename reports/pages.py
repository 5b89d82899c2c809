"""The templates, and the one environment that fills them."""

from collections.abc import Callable
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from reports.text import duration, moment, printable


def shown(value: Any) -> Any:
    """Every value a template prints passes here; markup is our own and passes as is."""
    return printable(value) if type(value) is str else value


def web(url: str | None) -> bool:
    """Whether an address may be linked; one that runs a script may not."""
    return url is not None and url.startswith(("https://", "http://"))


FILTERS: dict[str, Callable[..., str]] = {
    "duration": duration,
    "moment": moment,
    "printable": printable,
}

PAGES = Environment(
    loader=PackageLoader("reports"),
    autoescape=True,
    finalize=shown,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
PAGES.filters.update(FILTERS)
PAGES.tests["web"] = web


def source(name: str) -> Markup:
    """A file of the templates folder as it stands: a style sheet, a script."""
    loader = PAGES.loader
    if loader is None:
        raise ValueError("expected an environment with a loader, got none")
    return Markup(loader.get_source(PAGES, name)[0])
