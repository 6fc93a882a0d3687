"""Asks the registries of Python and JavaScript for advisories about our pins: `make audit-deps`.

The last line is `audited`, `VULNERABLE` or `NOT AUDITED`. What could not be asked counts as not audited,
also if the tool that asks ends without an error: it does, for a package that the registry does not know.
"""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

ROOT: Final = Path(__file__).parents[1]
PYTHON: Final = ("dev", "build", "node", "audit")  # of requirements/
NODE: Final = ("node/web", "tests/interop", "contracts")  # folders with a package-lock.json
TOOL: Final = ("uv", "tool", "run", "--quiet", "--from", "pip-audit==2.10.1", "pip-audit")
OPTIONS: Final = ("--disable-pip", "--require-hashes", "--format", "json", "--progress-spinner", "off")
WAIT_S: Final = 600.0
AUDITED, VULNERABLE, NOT_AUDITED = 0, 1, 3


class Found(NamedTuple):
    """What an audit of one file of pins found, and what it could not ask."""

    advisories: list[str]
    unasked: list[str]


def of_python(answer: Any) -> Found:
    """Read the JSON of pip-audit; raises KeyError, TypeError and AttributeError for any other JSON."""
    advisories, unasked = list[str](), list[str]()
    for one in answer["dependencies"]:
        if "vulns" not in one:
            unasked.append(f"{one['name']}: {one.get('skip_reason', 'no answer')}")
            continue
        for vulnerability in one["vulns"]:
            fixed = ", ".join(vulnerability["fix_versions"]) or "no version yet"
            advisories.append(f"{one['name']} {one['version']}: {vulnerability['id']}, fixed in {fixed}")
    return Found(advisories, unasked if answer["dependencies"] else ["no package was asked about"])


def of_node(answer: Any) -> Found:
    """Read the JSON of `npm audit`; raises KeyError, TypeError and AttributeError for any other JSON."""
    counts = answer["metadata"]["dependencies"]
    advisories = [f"{name}: {one['severity']}" for name, one in answer["vulnerabilities"].items()]
    return Found(advisories, [] if counts["total"] else ["no package was asked about"])


def asked(command: Sequence[str], folder: Path, read: Any) -> Found:
    """Run a tool that answers in JSON; whatever goes wrong is something unasked."""
    try:
        done = subprocess.run(  # noqa: S603 - our own pinned tools
            command, cwd=folder, capture_output=True, text=True, timeout=WAIT_S, check=False
        )
        found: Found = read(json.loads(done.stdout))
    except (OSError, subprocess.SubprocessError) as error:
        return Found([], [f"{command[0]}: {error}"])
    except (ValueError, KeyError, TypeError, AttributeError):
        why = done.stderr.strip().splitlines()[:1] or ["it gave no answer that we can read"]
        return Found([], [f"{command[0]}: {why[0][:200]}"])
    return found


def conclude(found: dict[str, Found]) -> int:
    """Print everything, and return the status to exit with."""
    for name, one in found.items():
        for kind, lines in (("VULNERABLE", one.advisories), ("not asked", one.unasked)):
            for line in lines:
                sys.stdout.write(f"{name}: {kind}: {line}\n")
    if any(one.advisories for one in found.values()):
        sys.stdout.write("VULNERABLE\n")
        return VULNERABLE
    if not found or any(one.unasked for one in found.values()):
        sys.stdout.write("NOT AUDITED: the registries could not be asked about everything, see above\n")
        return NOT_AUDITED
    sys.stdout.write(f"audited: no advisory about the pins of {', '.join(found)}\n")
    return AUDITED


def main() -> int:
    """Ask about all pins."""
    found = dict[str, Found]()
    for name in PYTHON:
        pins = f"requirements/{name}.txt"
        found[pins] = asked([*TOOL, "-r", pins, *OPTIONS], ROOT, of_python)
    for folder in NODE:
        found[folder] = asked(["npm", "audit", "--json"], ROOT / folder, of_node)
    return conclude(found)


if __name__ == "__main__":
    sys.exit(main())
