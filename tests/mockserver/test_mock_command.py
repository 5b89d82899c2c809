"""The command ``assay-mock``."""

import re
import socket
import subprocess
import sys

import httpx
import pytest

from mockserver.__main__ import main
from mockserver.registry import built
from spec import load

COMMAND = [sys.executable, "-m", "mockserver"]


def test_the_ready_line_names_a_url_that_answers_at_once():
    with subprocess.Popen(
        [*COMMAND, "--port", "0", "--api-key", "sk-good", "--seed", "1"],
        stdout=subprocess.PIPE,
        text=True,
    ) as mock:
        try:
            line = mock.stdout.readline()
            base_url = re.fullmatch(r"ready (http://127\.0\.0\.1:\d+/v1)\n", line)[1]
            key = {"authorization": "Bearer sk-good"}

            models = httpx.get(f"{base_url}/models", headers=key)
            refused = httpx.get(f"{base_url}/models")
            completion = httpx.post(
                f"{base_url}/completions",
                headers=key,
                json={"model": "ada", "max_tokens": 1},
                timeout=60,
            )
        finally:
            mock.terminate()

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
        (["--deviation", "nope"], "assay-mock: unknown deviation 'nope'"),
        (["--edition", "2022-01"], "assay-mock: expected an edition of 2023-04"),
    ],
    ids=["deviation", "edition"],
)
def test_a_word_that_is_off_is_told_in_one_line(capsys, words, told):
    assert main([*words, "--port", "0"]) == 2

    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith(told)
    assert said.err.count("\n") == 1


# cheroot leaves the socket that it could not bind to the garbage collector
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_port_that_is_taken_is_told(capsys):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]

        code = main(["--port", str(port)])

    assert code == 2
    assert "Address already in use" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["--port", "many"], ["--nope"]])
def test_a_flag_that_is_off_is_usage(capsys, words):
    with pytest.raises(SystemExit) as exit:
        main(words)

    assert exit.value.code == 2
    assert "usage: assay-mock" in capsys.readouterr().err


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
