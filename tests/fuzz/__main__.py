"""`python -m fuzz`: bytes by coverage (atheris, on libFuzzer) into every reader of strangers' bytes.

First come hostile inputs within a budget of memory for each byte (budget.py). Then libFuzzer bounds the
time of an input and the memory of the process; either, or an exception that is not ours, ends the run
with the input in a file. Without a target, all of them in turn, each in a process.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

SECONDS_AN_INPUT = 5
MEGABYTES = 1_024
INPUT_BYTES = 16_384


def main() -> None:
    """Run the targets; a fault ends it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, required=True, help="inputs for each target")
    parser.add_argument("--target", help="only this one, in this process")
    arguments = parser.parse_args()
    if arguments.target:
        _fuzz(arguments.target, arguments.runs)
        return
    from fuzz.targets import TARGETS

    budget = [sys.executable, "-m", "fuzz.budget"]
    if subprocess.run(budget, check=False).returncode:
        sys.exit("a door takes too much memory for what it receives")
    for name in TARGETS:
        command = [sys.executable, "-m", "fuzz", "--target", name, "--runs", str(arguments.runs)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            sys.exit(f"{name}: a fault\n{done.stdout[-4_000:]}{done.stderr[-4_000:]}")
        sys.stdout.write(f"{name}: {arguments.runs:,} inputs, nothing but errors of ours\n")
        sys.stdout.flush()
    sys.stdout.write(f"{arguments.runs * len(TARGETS):,} inputs in all\n")


def _fuzz(name: str, runs: int) -> None:
    import atheris

    with atheris.instrument_imports(include=["sayso_protocol", "sayso_node", "sayso"]):
        from fuzz.target import attempt
        from fuzz.targets import TARGETS

    target = TARGETS[name]
    with tempfile.TemporaryDirectory() as folder:
        for number, seed in enumerate(target.seeds):
            (Path(folder) / str(number)).write_bytes(seed)
        limits = [
            f"-runs={runs}",
            f"-timeout={SECONDS_AN_INPUT}",
            f"-rss_limit_mb={MEGABYTES}",
            f"-max_len={INPUT_BYTES}",
        ]
        atheris.Setup([sys.argv[0], *limits, folder], lambda data: _discard(attempt(target, data)))
        atheris.Fuzz()


def _discard(_accepted: bool) -> None:
    return


if __name__ == "__main__":
    main()
