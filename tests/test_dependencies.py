"""No pin and no floor allows a version with a known advisory; an audit never claims too much."""

import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

import audit_deps
from audit_deps import AUDITED, NOT_AUDITED, VULNERABLE, Found, asked, conclude, of_node, of_python

ROOT = Path(__file__).parents[1]
REQUIREMENTS = ROOT / "requirements"
FIXED = tomllib.loads((REQUIREMENTS / "fixed.toml").read_text())
PIN = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^]]*\])?==([^\s;\\]+)", re.MULTILINE)


def pins() -> Iterator[tuple[str, str, Version]]:
    for path in REQUIREMENTS.glob("*.txt"):
        for name, version in PIN.findall(path.read_text()):
            yield path.name, canonicalize_name(name), Version(version)


def requirements() -> Iterator[tuple[str, Requirement]]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    lists = [project["project"]["dependencies"], *project["project"]["optional-dependencies"].values()]
    lists += [project["build-system"]["requires"], project["tool"]["uv"]["override-dependencies"]]
    for one in [line for some in lists for line in some]:
        yield "pyproject.toml", Requirement(one)
    for path in [*REQUIREMENTS.glob("*.in"), REQUIREMENTS / "engines.txt"]:
        for line in path.read_text().splitlines():
            if text := line.partition("#")[0].strip():
                yield path.name, Requirement(text)


def lowest(requirement: Requirement) -> Version | None:
    """The lowest version that it allows; None if it has no floor."""
    floors = [
        Version(one.version) for one in requirement.specifier if one.operator in {">=", "==", "~="}
    ]
    return max(floors, default=None)


def below_fix(name: str, version: Version | None) -> bool:
    entry = FIXED.get(canonicalize_name(name))
    return entry is not None and (version is None or version < Version(entry["fixed"]))


def test_every_pin_has_the_fixes() -> None:
    found = list(pins())
    assert len(found) > 100
    assert [f"{of}: {name} {version}" for of, name, version in found if below_fix(name, version)] == []


def test_every_floor_has_the_fixes() -> None:
    """A user without our pins gets what the floors allow."""
    found = list(requirements())
    assert len(found) > 40
    assert [f"{of}: {one}" for of, one in found if below_fix(one.name, lowest(one))] == []


def test_every_requirement_has_a_floor() -> None:
    assert [f"{of}: {one}" for of, one in requirements() if lowest(one) is None] == []


def test_the_table_is_about_what_we_use() -> None:
    used = {name for _, name, _ in pins()} | {canonicalize_name(one.name) for _, one in requirements()}
    for name, entry in FIXED.items():
        assert name == canonicalize_name(name)
        assert name in used
        assert set(entry) == {"fixed", "advisory", "read"}
        assert re.fullmatch(r"CVE-\d{4}-\d{4,}|GHSA(-[0-9a-z]{4}){3}|PYSEC-\d{4}-\d+", entry["advisory"])
        assert entry["read"] in {"issue", "memory"}


def test_a_vulnerable_floor_is_found() -> None:
    """That of which the table began."""
    assert below_fix("PyNaCl", lowest(Requirement("pynacl>=1.6,<2")))
    assert below_fix("pynacl", lowest(Requirement("pynacl<2")))
    assert not below_fix("pynacl", lowest(Requirement("pynacl>=1.6.2,<2")))


OK = {"name": "a", "version": "1", "vulns": []}
BAD = {"name": "b", "version": "1", "vulns": [{"id": "CVE-1", "fix_versions": ["2"]}]}
SKIPPED = {"name": "c", "skip_reason": "not found"}
NPM = {"vulnerabilities": {}, "metadata": {"dependencies": {"total": 3}}}


@pytest.mark.parametrize(
    ("found", "status", "last"),
    [
        ({"a": of_python({"dependencies": [OK]}), "b": of_node(NPM)}, AUDITED, "audited"),
        ({"a": of_python({"dependencies": [OK, SKIPPED]})}, NOT_AUDITED, "NOT AUDITED"),
        ({"a": of_python({"dependencies": []})}, NOT_AUDITED, "NOT AUDITED"),
        ({}, NOT_AUDITED, "NOT AUDITED"),
        ({"a": of_python({"dependencies": [OK, BAD, SKIPPED]})}, VULNERABLE, "VULNERABLE"),
        (
            {"a": of_node(NPM | {"vulnerabilities": {"x": {"severity": "low"}}})},
            VULNERABLE,
            "VULNERABLE",
        ),
        ({"a": of_python({"dependencies": [OK]}), "b": Found([], ["npm: offline"])}, NOT_AUDITED, "NOT"),
    ],
)
def test_what_was_not_asked_is_not_audited(
    found: dict[str, Found], status: int, last: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert conclude(found) == status
    assert capsys.readouterr().out.splitlines()[-1].startswith(last)


@pytest.mark.parametrize(
    "program",
    [
        "print('No known vulnerabilities found')",
        "print('{}')",
        "print('[]')",
        "print('{\"dependencies\": null}')",
        'print(\'{"message": "405 Method Not Allowed", "error": {}}\')',
        "raise SystemExit('offline')",
        "pass",
    ],
)
@pytest.mark.parametrize("read", [of_python, of_node])
def test_a_tool_that_does_not_answer(program: str, read: object) -> None:
    found = asked([sys.executable, "-c", program], ROOT, read)
    assert not found.advisories
    assert len(found.unasked) == 1


def test_a_tool_that_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    missing = ("no-such-tool-anywhere",)
    assert asked(missing, ROOT, of_python).unasked[0].startswith("no-such-tool-anywhere: ")
    monkeypatch.setattr(audit_deps, "asked", lambda *_: Found([], ["offline"]))
    assert audit_deps.main() == NOT_AUDITED
