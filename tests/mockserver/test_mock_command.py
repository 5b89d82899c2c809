"""The command ``assay-mock``."""

import re
import socket
import subprocess
import sys
from urllib.parse import urlsplit

import httpx
import pytest
from running import KEY, running

from mockserver.__main__ import main
from mockserver.registry import built
from spec import load


def test_the_ready_line_names_a_url_that_answers_at_once():
    with running("--api-key", "sk-test", "--seed", "1") as mock:
        models = httpx.get(f"{mock.url}/models", headers=KEY)
        refused = httpx.get(f"{mock.url}/models")
        with mock.client() as client:
            body = {"model": "ada", "max_tokens": 1}
            completion = client.post("/completions", json=body)

        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/v1", mock.url)
    assert (models.status_code, refused.status_code) == (200, 401)
    assert completion.status_code == 200


def test_a_server_answers_before_torch_is_there():
    program = """
import sys
from mockserver.app import application, house
from spec import load
app = application(house(load()))
key = {"authorization": "Bearer sk"}
told = app.test_client().get("/v1/models", headers=key).status_code
print(told, *sys.modules.keys() & {"torch", "numpy", "sqlalchemy", "cel"})
"""

    said = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=True, text=True
    )

    assert said.stdout.split() == ["200"]


def test_deviations_are_listed_with_the_clause_that_notices_them(capsys):
    assert main(["--list-deviations"]) == 0

    listed = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert all(clause in load().clauses for _, clause in listed)
    assert len({name for name, _ in listed}) == len(listed)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--deviation", "nope"], "unknown deviation 'nope'"),
        (["--edition", "2022-01"], "expected an edition of 2023-04"),
        (["--workers", "0"], "--workers: expected `int` >= 1, got '0'"),
        (["--port", "many"], "--port: expected `int`, got 'many'"),
        (["--port", "65536"], "--port: expected `int` <= 65535"),
        (["--nope"], "unrecognized arguments: --nope"),
        (["--work", "2"], "unrecognized arguments: --work"),
        (["--config", "nope.toml"], "No such file or directory: 'nope.toml'"),
        (["--tls-cert", "nope", "--tls-key", "nope"], "No such file or directory"),
        (["--tls-cert", __file__, "--tls-key", __file__], "expected PEM"),
        (["--access-log", "/nope/log"], "No such file or directory: '/nope/log'"),
        (["--store", "nope://"], "expected a store of sqlite://"),
        (["--store", "sqlite:////nope/a.db"], "unable to open database file"),
        (["--host", "192.0.2.1"], "Cannot assign requested address"),
    ],
    ids=lambda value: " ".join(value[:2]) if isinstance(value, list) else "",
)
def test_a_word_that_is_off_is_told_in_one_line(capsys, words, told):
    assert main([*words, *(() if "--port" in words else ("--port", "0"))]) == 2

    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("assay-mock: ")
    assert told in said.err
    assert said.err.count("\n") == 1


def test_a_variable_that_is_off_is_told_in_one_line(capsys, monkeypatch):
    monkeypatch.setenv("ASSAY_MOCK_PROT", "1")

    assert main([]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_a_port_that_is_taken_is_told(capsys):
    with socket.create_server(("127.0.0.1", 0)) as other:
        code = main(["--port", str(other.getsockname()[1])])

    assert code == 2
    assert "Address already in use" in capsys.readouterr().err


def test_the_port_of_another_mock_is_taken(capsys):
    with running() as mock:
        code = main(["--port", str(urlsplit(mock.url).port)])

    assert code == 2
    assert "Address already in use" in capsys.readouterr().err


def test_what_is_not_built_is_listed(capsys):
    assert main(["--list-unbuilt"]) == 0

    names = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    spec = load()
    assert set(names) == spec.operations.keys() - built(spec)
    assert "createCompletion" not in names


def test_what_is_not_built_is_told_by_edition(capsys):
    assert main(["--list-unbuilt", "--edition", "2023-12"]) == 0
    assert "POST /chat/completions" in capsys.readouterr().out
    assert main(["--list-unbuilt", "--edition", "1999-01"]) == 2
    assert "1999-01" in capsys.readouterr().err
