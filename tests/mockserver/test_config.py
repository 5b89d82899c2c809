"""What an operator says of a server, by flag, variable and file."""

import argparse
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import fields

from mockserver.config import Config, Key, Organization, add_flags, settled

GUIDE = Path(__file__).parent.parent.parent / "docs" / "mock.md"


def read(*words, environ=None, file=None, tmp_path=None):
    """The settings of a command's words, of variables, and of a file's text."""
    parser = argparse.ArgumentParser()
    add_flags(parser)
    if file is not None:
        (tmp_path / "mock.toml").write_text(file)
        words = (*words, "--config", str(tmp_path / "mock.toml"))
    return settled(vars(parser.parse_args(words)), environ or {})


def test_with_nothing_said_the_defaults_hold():
    assert read(environ={"PATH": "/bin", "ASSAY_MOCK_PORT": ""}) == Config()


def test_a_flag_outranks_the_environment_and_that_the_file(tmp_path):
    file = 'port = 1\nthreads = 1\nworkers = 1\nstore = "sqlite:///a.db"\n'
    environ = {"ASSAY_MOCK_PORT": "2", "ASSAY_MOCK_THREADS": "2"}

    config = read("--port", "3", environ=environ, file=file, tmp_path=tmp_path)

    assert (config.port, config.threads, config.workers) == (3, 2, 1)
    assert config.store == "sqlite:///a.db"


def test_the_environment_may_name_the_file(tmp_path):
    path = tmp_path / "mock.toml"
    path.write_text("port = 5")

    assert read(environ={"ASSAY_MOCK_CONFIG": str(path)}).port == 5


@given(
    port=st.integers(0, 65535),
    seed=st.integers(-(2**63), 2**63 - 1),
    metrics=st.booleans(),
    keys=st.lists(st.from_regex(r"[a-z][a-z-]*", fullmatch=True), min_size=1),
)
def test_each_setting_means_the_same_in_all_three(
    tmp_path_factory, port, seed, metrics, keys
):
    flags = ["--port", f"{port}", f"--seed={seed}"]
    flags += ["--metrics" if metrics else "--no-metrics"]
    flags += [f"--api-key={key}" for key in keys]
    environ = {
        "ASSAY_MOCK_PORT": f"{port}",
        "ASSAY_MOCK_SEED": f"{seed}",
        "ASSAY_MOCK_METRICS": json.dumps(metrics),
        "ASSAY_MOCK_API_KEY": ",".join(keys),
    }
    file = f"port = {port}\nseed = {seed}\nmetrics = {json.dumps(metrics)}\n"
    file += f"api-key = {json.dumps(keys)}\n"

    told = read(file=file, tmp_path=tmp_path_factory.getbasetemp())

    assert read(*flags) == read(environ=environ) == told
    assert (told.port, told.seed, told.metrics) == (port, seed, metrics)
    assert told.api_key == tuple(keys)


def test_tables_are_json_where_there_is_no_file(tmp_path):
    file = '[[keys]]\nkey = "sk-1"\nrole = "reader"\ntier = "free"\n'
    text = '[{"key": "sk-1", "role": "reader", "tier": "free"}]'

    expected = (Key(key="sk-1", role="reader", tier="free"),)
    for told in (
        read(file=file, tmp_path=tmp_path),
        read("--keys", text),
        read(environ={"ASSAY_MOCK_KEYS": text}),
    ):
        assert told.keys == expected


def test_the_example_of_the_guide_is_lawful(tmp_path):
    _, _, rest = GUIDE.read_text().partition("```toml\n")
    config = read(file=rest.partition("```")[0], tmp_path=tmp_path)

    assert config.workers > 1
    assert config.keys[0].role == "owner"
    assert any(isinstance(one, Organization) for one in config.organizations)


def test_the_guide_names_every_setting():
    rows = [row for row in GUIDE.read_text().splitlines() if row.startswith("| `")]
    named = {row.split("`")[1] for row in rows}

    assert {setting.encode_name for setting in fields(Config)} <= named


@pytest.mark.parametrize(
    ("environ", "told"),
    [
        ({"ASSAY_MOCK_PROT": "1"}, "name of a setting, got 'ASSAY_MOCK_PROT'"),
        ({"ASSAY_MOCK_PORT": "many"}, "ASSAY_MOCK_PORT: expected `int`, got 'many'"),
        ({"ASSAY_MOCK_PORT": "65536"}, "ASSAY_MOCK_PORT: expected `int` <= 65535"),
        ({"ASSAY_MOCK_WORKERS": "0"}, "ASSAY_MOCK_WORKERS: expected `int` >= 1"),
        ({"ASSAY_MOCK_METRICS": "maybe"}, "ASSAY_MOCK_METRICS: expected `bool"),
        ({"ASSAY_MOCK_KEYS": '[{"key"'}, "ASSAY_MOCK_KEYS: expected JSON"),
        ({"ASSAY_MOCK_KEYS": "[{}]"}, "missing required field `key`"),
        ({"ASSAY_MOCK_TLS_CERT": "a"}, "tls-cert and tls-key together"),
    ],
    ids=lambda value: "".join(value) if isinstance(value, dict) else None,
)
def test_a_variable_that_is_off_is_told(environ, told):
    with pytest.raises(ValueError, match=r"expected|missing") as fault:
        read(environ=environ)

    assert told in str(fault.value)
    assert "\n" not in str(fault.value)


@pytest.mark.parametrize(
    ("file", "told"),
    [
        ("prot = 1", "mock.toml: expected the name of a setting, got 'prot'"),
        ("tls_cert = 1", "got 'tls_cert'"),
        ("port = '1'", "mock.toml: port: expected `int`, got '1'"),
        ("port = true", "mock.toml: port: expected `int`, got True"),
        ("grace = 0", "mock.toml: grace: expected `float` > 0.0, got 0"),
        ("port =", "mock.toml: expected TOML"),
        ("[[keys]]\nkey = 'k'\nrol = 'x'", "unknown field `rol` - at `$[0]`"),
        ("[[keys]]\nkey = 'k'\nrole = 'x'", "'x' - at `$[0].role`"),
        ("[[organizations]]\nid = 'o'\nquota = -1", "`int` >= 0 - at `$[0].quota`"),
        ("[organizations]\nid = 'o'", "organizations: expected `array`"),
    ],
)
def test_a_file_that_is_off_is_told(tmp_path, file, told):
    with pytest.raises(ValueError, match=r"mock\.toml") as fault:
        read(file=file, tmp_path=tmp_path)

    assert told in str(fault.value)
    assert "\n" not in str(fault.value)


def test_a_key_is_not_told_with_a_fault(tmp_path):
    for file in ("keys = 'sk-1'", "api-key = 'sk-1'", "[[keys]]\nkey = 'sk-1'\nx = 1"):
        with pytest.raises(ValueError, match=r"mock\.toml") as fault:
            read(file=file, tmp_path=tmp_path)

        assert "sk-1" not in str(fault.value)


@pytest.mark.parametrize(
    ("host", "shown"),
    [("127.0.0.1", True), ("::1", True), ("localhost", True), ("0.0.0.0", False)],
)
def test_metrics_are_for_this_machine_unless_asked_for(host, shown):
    assert read("--host", host).measured is shown
    assert read("--host", host, "--metrics").measured
    assert not read("--host", host, "--no-metrics").measured
