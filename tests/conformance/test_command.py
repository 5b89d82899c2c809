import json
import os
import signal
import subprocess
import sys
import time
from io import StringIO
from pathlib import Path
from urllib.request import urlopen

import pytest
from jsonschema import Draft202012Validator
from tiny_server import closed, refusal, reply, serving, small_api, speaking

from conformance import __main__ as command
from conformance import embedded
from conformance.probe import from_yaml
from conformance.progress import Lines, progress
from conformance.registry import Check
from conformance.results import Result

ROOT = Path(command.__file__).parent.parent
HERE = Path(__file__).parent
ID = "completions.example"


def example(target):
    """Sends the documented request."""
    target.call("createCompletion").json()
    yield from ()


def listing(target):
    yield f"saw {target.get('/models').status}\x1b[2J"


def slow(target):
    target.get("/models")
    yield "saw the slow one"


@pytest.fixture(autouse=True)
def _few(monkeypatch, tmp_path):
    """Three checks in the place of all, an empty folder, and no key around."""
    checks = {
        "chat.example": Check("chat.example", slow, slow=True),
        ID: Check(ID, example),
        "models.list-schema": Check("models.list-schema", listing),
        "models.list-owner": Check("models.list-owner", listing),
    }
    monkeypatch.setattr(command, "all_checks", lambda spec: checks)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module")
def api():
    with serving(small_api) as url:
        yield url


def checked(capsys, *words):
    code = command.main(["check", "--api-key", "sk-right-key", *words])
    return code, *capsys.readouterr()


def test_a_server_that_keeps_its_clauses_is_conformant(capsys, api):
    code, out, err = checked(capsys, api, "--only", ID)

    assert code == 0
    assert out == "1 clause: 1 holds.\n"
    assert err == "1 of 1 clauses\n"


def test_a_must_that_fails_is_told_with_all_that_helps(capsys, api):
    code, out, err = checked(capsys, api, "--only", "models.list-schema", "--seed", "3")

    assert code == 1
    assert "FAILS MUST models.list-schema" in out
    assert "  - saw 200\ufffd[2J" in out
    assert "  likely cause: A field is missing" in out
    assert "  source: " in out
    assert 'Authorization: Bearer $OPENAI_API_KEY"' in out
    assert f"assay check {api} --only models.list-schema --seed 3" in out
    assert out.splitlines()[-1] == "1 clause: 0 hold, 1 fails (1 MUST)."
    assert "FAILS MUST models.list-schema: saw 200" in err
    assert "sk-right-key" not in out + err


def test_a_should_that_fails_is_a_warning(capsys, api):
    code, out, _ = checked(capsys, api, "--only", "models.list-owner")

    assert code == 0
    assert "FAILS SHOULD models.list-owner" in out


def test_a_must_that_cannot_be_tried_is_incomplete(capsys):
    def limited(asked):
        return reply({"data": []}) if asked.method == "GET" else refusal(429)

    with serving(limited) as url:
        code, out, _ = checked(capsys, url, "--only", ID)

    assert code == 3
    assert "UNTESTABLE MUST completions.example: the server's limit" in out


def test_reports_are_written_and_rendered_again(capsys, api, run_schema):
    papers = ("--json", "a/run.json", "--html", "a/i.html", "--junit", "a/j.xml")
    code, out, _ = checked(capsys, api, "--only", "*.list-schema", ID, *papers)
    again = command.main(
        ["report", "a/run.json", "--markdown", "m.md", "--badge", "b.svg"]
    )

    record = json.loads(Path("a/run.json").read_text())
    assert (code, again) == (1, 0)
    assert out.endswith(" Report: a/i.html\n")
    assert list(Draft202012Validator(run_schema).iter_errors(record)) == []
    assert all(Path(name).exists() for name in ("a/i.html", "a/j.xml", "m.md", "b.svg"))
    assert record["command"] == (
        f"assay check {api} --only '*.list-schema' --only {ID} --seed 0"
    )


@pytest.mark.parametrize("text", ["{}", "[", "3"])
def test_what_is_no_run_is_not_rendered(capsys, text):
    Path("run.json").write_text(text)

    assert command.main(["report", "run.json", "--html", "x.html"]) == 2
    assert capsys.readouterr().err.startswith("assay: ")


def test_quick_leaves_slow_checks_out(capsys, api):
    code, out, _ = checked(capsys, api, "--only", "chat.example", ID, "--quick")

    assert (code, out) == (0, "1 clause: 1 holds.\n")


def test_quick_says_so_where_it_leaves_nothing(capsys, api):
    code, _, err = checked(capsys, api, "--only", "chat.example", "--quick")

    assert code == 2
    assert "all is slow that is checked of chat.example" in err


def test_an_expected_failure_is_forgiven_and_a_stale_line_is_not(capsys, api):
    Path("known").write_text("models.list-schema  # being mended\n")
    Path("stale").write_text(f"{ID}  # was broken\n")

    known = checked(capsys, api, "--only", "models.list-schema", "--baseline", "known")
    stale = checked(capsys, api, "--only", ID, "--baseline", "stale")

    assert known[0] == 0
    assert "FAILS" not in known[1]
    assert stale[0] == 1
    assert f"stale: {ID}" in stale[1]


def test_a_url_behind_the_patterns_is_the_url(capsys, api):
    assert checked(capsys, "--only", ID, api)[:2] == (0, "1 clause: 1 holds.\n")


def test_claims_are_read_from_a_file(capsys, api):
    Path("claims.yaml").write_text("operations: [listModels]\n")

    code, out, _ = checked(capsys, api, "--only", ID, "--claims", "claims.yaml")

    assert (code, out) == (0, "1 clause: 0 hold, 1 not claimed.\n")


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (None, 3, "did not answer; it was given 0.05 seconds"),
        (b"nonsense\r\n\r\n", 3, "did not answer in HTTP"),
        (b"", 3, "did not answer in HTTP"),
        (b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n", 3, "no operation"),
        (b"HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n", 2, "refused the key"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}", 3, "did not answer"),
    ],
    ids=["hang", "garbage", "silence", "elsewhere", "wrong key", "cut short"],
)
def test_a_hopeless_server_is_told_in_one_line(capsys, words, code, told):
    with speaking(words) as url:
        seen, out, err = checked(capsys, url, "--only", ID, "--timeout", "0.05")

    assert seen == code
    assert out == ""
    assert told in err
    assert len(err.splitlines()) == 1


def test_a_refused_connection_is_told_in_one_line(capsys):
    code, _, err = checked(capsys, closed(), "--only", ID)

    assert code == 3
    assert "did not take the connection" in err
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize(
    "words",
    [
        ["http://127.0.0.1:1"],
        ["ftp://127.0.0.1/v1"],
        ["nothing/v1"],
        ["http://me:pw@127.0.0.1/v1"],
        ["http://h:x/v1"],
        ["http://h/v1", "--model", "chat"],
        ["http://h/v1", "--model", "chats=x"],
        ["http://h/v1", "--header", "x"],
        ["http://h/v1", "--budget", "time=3"],
        ["http://h/v1", "--budget", "requests=x"],
        ["http://h/v1", "--timeout", "0"],
        ["http://h/v1", "--edition", "1999-01"],
        ["http://h/v1", "--only", "nothing.at-all"],
        ["http://h/v1", "--only", "moderations"],
        ["http://h/v1", "--baseline", "missing.txt"],
        ["http://h/v1", "--claims", "missing.yaml"],
        ["https://h/v1", "--ca", "missing.pem"],
    ],
    ids=lambda words: " ".join(words),
)
def test_usage_is_told_in_one_line(capsys, words):
    code, out, err = checked(
        capsys, *([] if "--only" in words else ["--only", ID]), *words
    )

    assert (code, out) == (2, "")
    assert err.startswith("assay: ")
    assert len(err.splitlines()) == 1


def test_a_budget_ends_a_run_early(capsys, api):
    code, _, err = checked(capsys, api, "--only", ID, "--budget", "requests=1")

    assert code == 3
    assert "budget of 1 requests" in err


def test_a_server_elsewhere_is_asked_with_courtesy(spec):
    from conformance.session import COURTESY, Server, opened

    for url, budget in [
        ("http://127.0.0.1/v1", {}),
        ("http://localhost:1/v1/", {}),
        ("http://api.example.com/v1", COURTESY),
    ]:
        target = opened(Server(url), spec)
        target.close()
        asked = {name: getattr(target.tape.budget, name) for name in COURTESY}
        assert asked == {**dict.fromkeys(COURTESY), **budget}


def test_the_options_reach_the_server(capsys):
    seen = []

    def note(asked):
        seen.append(asked)
        return reply({"choices": [], "data": []})

    with serving(note) as url:
        checked(
            capsys, url, "--only", ID, "--header", "X-It: 1", "--model", "completions=m"
        )

    assert {asked.headers["X-It"] for asked in seen} == {"1"}
    assert seen[-1].json["model"] == "m"


def test_a_probe_prints_claims(capsys, api):
    code = command.main(["probe", api, "--api-key", "sk-right-key"])

    assert code == 0
    assert "- createCompletion" in capsys.readouterr().out


def test_a_probe_writes_claims_to_a_file(tmp_path, api, spec):
    file = tmp_path / "claims.yaml"
    key = ["--api-key", "sk-right-key", "--claims", str(file)]

    assert command.main(["probe", api, *key]) == 0
    claims = from_yaml(file.read_text("utf-8"), spec)
    assert "createCompletion" in claims.operations


def test_clauses_are_listed(capsys):
    assert command.main(["list", "--only", "completions.stream-d*", "models"]) == 0

    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith("MUST   completions.stream-done ") for line in lines)
    assert any(line.startswith("MUST   models.list-schema ") for line in lines)
    assert not any("S4-" in line for line in lines)


def test_a_clause_is_explained(capsys):
    assert command.main(["explain", ID]) == 0
    assert "how it is checked: Sends the documented request." in capsys.readouterr().out
    assert command.main(["explain", "api.client-libraries"]) == 0
    assert "not at all. A library forgives" in capsys.readouterr().out
    assert command.main(["explain", "api.quota"]) == 0
    assert "capability: control" in capsys.readouterr().out
    assert command.main(["explain", "chat.fuzz-valid"]) == 0
    assert "how it is checked: not yet" in capsys.readouterr().out
    assert command.main(["explain", "no.such"]) == 2


def test_the_spec_is_exported_and_linted(capsys):
    assert command.main(["spec", "export"]) == 0
    assert json.loads(capsys.readouterr().out)["openapi"] == "3.1.0"
    assert command.main(["spec", "lint"]) == 0


def test_progress_is_counted_in_plain_lines(capsys, spec):
    results = [Result(spec.clauses[ID], "holds")] * 51
    with progress(51) as tell:
        assert isinstance(tell, Lines)
        for result in results:
            tell(result)

    assert capsys.readouterr().err == "50 of 51 clauses\n51 of 51 clauses\n"


def test_progress_is_a_bar_on_a_terminal(spec):
    class Terminal(StringIO):
        def isatty(self):
            return True

    out = Terminal()
    with progress(1, out) as tell:
        tell(Result(spec.clauses[ID], "fails", ("saw [it]",)))

    assert f"FAILS MUST {ID}: saw [it]" in out.getvalue()
    assert "1/1" in out.getvalue()


@pytest.fixture
def tiny(monkeypatch):
    """The tiny mock in the place of ours."""
    path = os.pathsep.join((str(HERE), os.environ.get("PYTHONPATH", "")))
    monkeypatch.setenv("PYTHONPATH", path)
    monkeypatch.setattr(embedded, "MODULE", "tiny_mock")
    monkeypatch.setattr(embedded, "NEEDED", ("json",))


@pytest.mark.usefixtures("tiny")
def test_without_a_url_our_own_mock_is_started_and_ended(capsys):
    code = command.main(["check", "--only", ID])

    out = capsys.readouterr().out
    assert code == 0
    assert out == "1 clause: 1 holds. Report: reports/out/index.html\n"
    assert Path("reports/out/index.html").exists()


@pytest.mark.usefixtures("tiny")
def test_a_mock_ends_with_its_context():
    with embedded.embedded() as (url, _):
        process_url = url

    with pytest.raises(OSError, match="refused"):
        urlopen(process_url, timeout=2)


@pytest.mark.usefixtures("tiny")
def test_a_mock_that_does_not_start_is_told(capfd, monkeypatch):
    monkeypatch.setattr(embedded, "MODULE", "no_such_module")

    assert command.main(["check", "--only", ID]) == 2
    assert "expected the mock to start, got exit 1" in capfd.readouterr().err


def test_a_mock_that_is_not_installed_is_told(capsys, monkeypatch):
    monkeypatch.setattr(embedded, "NEEDED", ("no_such_module",))

    assert command.main(["check", "--only", ID]) == 2
    assert "install openai-assay[mock]" in capsys.readouterr().err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_stopped_leaves_no_mock_behind(tmp_path, number):
    """An interrupt is heard even where the tests run behind a shell that ignores it."""
    script = (
        "import sys; from conformance import __main__ as c, embedded as e;"
        "from conformance.registry import Check\n"
        "import signal, time\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "def wait(target):\n"
        "    print(target.base_url, flush=True); time.sleep(60); yield ''\n"
        f"c.all_checks = lambda spec: {{{ID!r}: Check({ID!r}, wait)}}\n"
        "e.MODULE, e.NEEDED = 'tiny_mock', ('json',)\n"
        f"sys.exit(c.main(['check', '--only', {ID!r}]))"
    )
    path = os.pathsep.join((str(ROOT), str(HERE)))
    with subprocess.Popen(
        [sys.executable, "-c", script],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": path},
    ) as process:
        url = process.stdout.readline().strip()
        process.send_signal(number)
        _, err = process.communicate(timeout=20)

    assert process.returncode in (130, 143)
    assert "Traceback" not in err
    time.sleep(0.1)
    with pytest.raises(OSError, match="refused"):
        urlopen(url, timeout=2)
