"""A part that fails neither takes the figures of others with it nor goes unnoticed."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from bench import __main__ as bench
from bench.figure import Figure


def figure(name: str) -> Figure:
    return Figure(name, 1.0, "s", "lower")


@pytest.fixture
def out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where figures go; the parts are `whole`, `half`, which ends in an error, and `absent`."""
    path = tmp_path / "bench.json"

    def half() -> Iterator[Figure]:
        yield figure("half.first")
        assert [json.loads(line)["name"] for line in path.read_text().splitlines()][-1] == "half.first"
        raise RuntimeError("no more")

    for name, figures in (("half", half), ("whole", lambda: [figure("whole.only")])):
        module = ModuleType(name)
        module.figures = figures  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, f"bench.{name}", module)
    monkeypatch.setattr(bench, "PARTS", {name: name for name in ("absent", "half", "whole")})
    return path


def run(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr(sys, "argv", ["bench", *map(str, arguments)])
    return bench.main()


def test_the_others_go_on_and_the_status_tells(
    out: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "--out", out) == 1
    written = out.read_text()
    assert [json.loads(line)["name"] for line in written.splitlines()] == ["half.first", "whole.only"]
    said = capsys.readouterr()
    assert said.out == written
    assert "RuntimeError: no more" in said.err
    assert said.err.endswith("bench: failed: absent, half\n")


def test_what_does_not_fail_ends_well(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(monkeypatch, "--out", out, "--only", "whole") == 0
    assert out.read_text() == figure("whole.only").line() + "\n"


def test_every_part_has_its_module() -> None:
    folder = Path(bench.__file__).parent
    assert [name for name in bench.PARTS.values() if not (folder / f"{name}.py").exists()] == []
