"""The reference model, brought in when it is first needed."""

import subprocess
import sys

import pytest

BEGIN = "from mockserver.mind import Mind; mind = Mind(); print(mind.rows)"


@pytest.mark.parametrize(
    "then",
    [
        "from reference_model.job import Job;"
        "steps = mind.submit(Job((), 100_000, stop_at_end=False)); next(steps)",
        "mind.warm()",
        "import sys; assert 'torch' not in sys.modules",
    ],
    ids=["a text is under way", "torch is on its way", "nobody asked"],
)
def test_a_process_ends_in_order_although(then):
    program = [sys.executable, "-c", f"{BEGIN}; {then}"]

    ended = subprocess.run(program, capture_output=True, text=True)

    assert (ended.returncode, ended.stderr, ended.stdout) == (0, "", "0\n")
