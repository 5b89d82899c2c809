"""How long it takes to read the spec, each time in a new process.

python -m bench.loading [--rounds 9]
"""

import argparse
import json
import statistics
import subprocess
import sys

PROGRAM = """
import json, sys, time
before = time.perf_counter()
import spec
from spec.pages import editions
imported = time.perf_counter()
laps = [imported - before]
for edition in editions():
    spec.load(edition)
    laps.append(time.perf_counter() - imported)
print(json.dumps(laps))
"""


def main() -> None:
    """Print the median of each step in milliseconds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    rounds = [lap() for _ in range(parser.parse_args().rounds)]
    names = ("import spec", "the first edition", "all editions")
    for name, times in zip(names, zip(*rounds, strict=True), strict=True):
        middle = 1000 * statistics.median(times)
        print(f"{name:18} {middle:6.0f} ms (best {1000 * min(times):.0f})")


def lap() -> list[float]:
    """The seconds of each step in a new process."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True
    )
    laps: list[float] = json.loads(done.stdout)
    return laps


if __name__ == "__main__":
    main()
