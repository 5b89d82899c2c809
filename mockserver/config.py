"""What an operator says of a server: by flag, in the environment, in a TOML file.

A setting is declared once, in ``Config``, and has one name: ``--tls-cert``,
``ASSAY_MOCK_TLS_CERT`` and ``tls-cert = "..."``. A flag outranks the environment, and
that outranks the file. Where text is given for a list, commas part it; for a list of
tables it is JSON.
"""

import argparse
import tomllib
from collections.abc import Mapping, Sequence
from ipaddress import ip_address
from typing import Annotated, Any, Literal, get_args, get_origin

from msgspec import DecodeError, Meta, Struct, convert, json
from msgspec.structs import FieldInfo, fields

from mockserver.database import PRIVATE

PREFIX = "ASSAY_MOCK_"
FILE = "config"  # the flag and the variable that name the file
COUNTS = "PROMETHEUS_MULTIPROC_DIR"  # names the folder where workers count together

Word = Annotated[str, Meta(min_length=1)]
Count = Annotated[int, Meta(ge=0)]
Some = Annotated[int, Meta(ge=1)]


class Table(
    Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="kebab"
):
    """A table of the file; a name that it does not know is refused."""


class Key(Table, frozen=True):
    """A key that is accepted, and whose it is."""

    key: Word
    organizations: Annotated[tuple[Word, ...], Meta(min_length=1)] = ("org-assay",)
    role: Literal["owner", "reader"] = "owner"
    tier: Literal["free", "paying"] = "paying"


class Organization(Table, frozen=True):
    """What one organisation may; None is no limit."""

    id: Word
    requests: Count | None = None
    tokens: Count | None = None
    quota: Count | None = None
    user_requests: Count | None = None
    blocked: tuple[Word, ...] = ()
    prompt_tokens: Some | None = None
    completion_tokens: Some | None = None
    zero_retention: bool = False


class Config(Table, frozen=True):
    """The settings of a server, and what they are where nobody says anything."""

    host: Annotated[Word, Meta(description="address to listen on")] = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65535, description="0 takes a free one")] = 8080
    workers: Annotated[Some, Meta(description="processes that answer")] = 1
    threads: Annotated[
        Some, Meta(description="requests at once that a worker answers")
    ] = 512
    grace: Annotated[
        float, Meta(gt=0, description="seconds that a stop leaves to running requests")
    ] = 8.0
    edition: Annotated[
        Word | None, Meta(description="edition to serve, such as 2023-04")
    ] = None
    store: Annotated[
        Word, Meta(description="URL of the database; this one ends with the mock")
    ] = PRIVATE[0]
    seed: Annotated[int | None, Meta(description="make ids and draws repeatable")] = (
        None
    )
    tls_cert: Annotated[Word | None, Meta(description="PEM file: serve https")] = None
    tls_key: Annotated[Word | None, Meta(description="PEM file of its key")] = None
    access_log: Annotated[
        Word | None, Meta(description="file for a line of JSON a request; - is stderr")
    ] = None
    metrics: Annotated[
        bool | None, Meta(description="serve GET /metrics; by default on loopback")
    ] = None
    api_key: Annotated[
        tuple[Word, ...], Meta(description="key to accept; with none, any key is")
    ] = ()
    deviation: Annotated[
        tuple[Word, ...], Meta(description="deviate so; see --list-deviations")
    ] = ()
    keys: Annotated[
        tuple[Key, ...], Meta(description="keys with organisations, role and tier")
    ] = ()
    organizations: Annotated[
        tuple[Organization, ...], Meta(description="limits of organisations")
    ] = ()

    def __post_init__(self) -> None:
        if bool(self.tls_cert) != bool(self.tls_key):
            raise ValueError("expected tls-cert and tls-key together, got one of them")

    @property
    def scheme(self) -> str:
        return "https" if self.tls_cert else "http"

    @property
    def measured(self) -> bool:
        """Whether ``GET /metrics`` is served: if asked, or if nobody else sees it."""
        return _loopback(self.host) if self.metrics is None else self.metrics


def add_flags(parser: argparse.ArgumentParser) -> None:
    """A flag for each setting; what is not given stays out of the namespace."""
    parser.add_argument(f"--{FILE}", metavar="FILE", help="TOML file of settings")
    for setting in fields(Config):
        parser.add_argument(
            f"--{setting.encode_name}",
            dest=setting.name,
            default=argparse.SUPPRESS,
            help=_help(setting),
            **_form(setting),
        )


def settled(flags: Mapping[str, Any], environ: Mapping[str, str]) -> Config:
    """The settings that flags, environment and file come to.

    An empty variable says nothing. Raises ValueError for an unknown name and for a
    value that does not fit, OSError where the file cannot be read.
    """
    settings = {setting.name: setting for setting in fields(Config)}
    values = _of_environment(environ, settings)
    path = flags.get(FILE) or values.pop(FILE, None)
    values = (_of_file(path) if path else {}) | values
    for name in settings.keys() & flags.keys():
        setting = settings[name]
        values[name] = _read(setting, flags[name], f"--{setting.encode_name}")
    return Config(**values)


def _of_environment(
    environ: Mapping[str, str], settings: Mapping[str, FieldInfo]
) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for variable, text in environ.items():
        if not variable.startswith(PREFIX) or not text:
            continue
        name = variable.removeprefix(PREFIX).lower()
        if name == FILE:
            values[name] = text
        elif name in settings:
            values[name] = _read(settings[name], text, variable)
        else:
            raise ValueError(f"expected the name of a setting, got {variable!r}")
    return values


def _of_file(path: str) -> dict[str, Any]:
    settings = {setting.encode_name: setting for setting in fields(Config)}
    values: dict[str, Any] = {}
    with open(path, "rb") as file:
        try:
            table = tomllib.load(file)
        except ValueError as fault:
            raise ValueError(f"{path}: expected TOML: {fault}") from None
    for name, value in table.items():
        if name not in settings:
            raise ValueError(f"{path}: expected the name of a setting, got {name!r}")
        values[settings[name].name] = _fit(settings[name], value, f"{path}: {name}")
    return values


def _read(setting: FieldInfo, text: Any, label: str) -> Any:
    """The value of a setting that is given as text, a flag's list as many texts."""
    kind = _item(setting)
    if kind is None or not isinstance(text, str):
        return _fit(setting, text, label, strict=False)
    if kind is Word:
        return _fit(setting, text.split(","), label)
    try:
        return _fit(setting, json.decode(text), label)
    except DecodeError as fault:
        raise ValueError(f"{label}: expected JSON: {fault}") from None


def _fit(setting: FieldInfo, value: Any, label: str, *, strict: bool = True) -> Any:
    """``value`` as the setting's type. Raises ValueError; no list is told, for keys."""
    try:
        return convert(value, setting.type, strict=strict)
    except DecodeError as fault:
        words = str(fault)
        if _item(setting) is None:
            words = f"{words.partition(', got')[0]}, got {value!r}"
        raise ValueError(f"{label}: {words[0].lower()}{words[1:]}") from None


def _bare(setting: FieldInfo) -> Any:
    """The type without what is said of it."""
    kind = setting.type
    return get_args(kind)[0] if get_origin(kind) is Annotated else kind


def _item(setting: FieldInfo) -> Any:
    """The type of a list's items; None where the setting is no list."""
    kind = _bare(setting)
    return get_args(kind)[0] if get_origin(kind) is tuple else None


def _form(setting: FieldInfo) -> dict[str, Any]:
    """How a flag is given: a switch, once, or again and again."""
    if bool in (_bare(setting), *get_args(_bare(setting))):
        return {"action": argparse.BooleanOptionalAction}
    if _item(setting) is Word:
        return {"action": "append", "metavar": "NAME"}
    return {"metavar": "JSON" if _item(setting) else setting.name.upper()}


def _help(setting: FieldInfo) -> str:
    words: Sequence[Any] = get_args(setting.type)[1:]
    said = next(meta.description for meta in words if meta.description)
    unsaid = setting.default in (None, ())
    return said if unsaid else f"{said} (default: {setting.default})"


def _loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
