"""`sayso check` on manifests and file names that are wrong: the exact code, and not one file."""

import json
from pathlib import Path
from typing import Any

import pytest

from cli.conftest import OUTPUTS, QUERY, World, denied

HASH = "0x" + "ab" * 32
GOOD = {"license": HASH, "item": HASH}
LINES: dict[str, bytes] = {
    "no license": json.dumps({"item": HASH}).encode(),
    "no item": json.dumps({"license": HASH}).encode(),
    "a license that is a number": json.dumps(GOOD | {"license": 7}).encode(),
    "a short hash": json.dumps(GOOD | {"item": "0x12"}).encode(),
    "a hash in other digits": json.dumps(GOOD | {"item": HASH.replace("a", "g")}).encode(),
    "a hash with white space": json.dumps(GOOD | {"item": HASH[:-2] + " a"}).encode(),
    "not JSON": b"license,item",
    "half a row": json.dumps(GOOD).encode()[:-4],
    "two rows in a line": json.dumps(GOOD).encode() * 2,
    "a list": json.dumps([HASH, HASH]).encode(),
    "a license twice": json.dumps(GOOD).encode()[:-1] + b', "license": "' + HASH.encode() + b'"}',
    "not a number": json.dumps(GOOD).encode()[:-1] + b', "x": NaN}',
    "too large a number": json.dumps(GOOD).encode()[:-1] + b', "x": 1e999}',
    "not UTF-8": json.dumps(GOOD).encode()[:-1] + b', "x": "\xff"}',
    "a byte order mark": b"\xef\xbb\xbf" + json.dumps(GOOD).encode(),
    "another encoding": json.dumps(GOOD).encode("utf-16"),
    "deep nesting": json.dumps(GOOD).encode()[:-1] + b', "x": ' + b"[" * 100_000,
}


@pytest.mark.parametrize("name", LINES)
def test_a_line_of_the_manifest_is_no_row(world: World, name: str) -> None:
    world.write("bad.jsonl", json.dumps(GOOD).encode() + b"\n" + LINES[name] + b"\n")
    denied(world, "bad-manifest", "bad.jsonl")
    line = world.fails("bad-manifest", "check", "bad.jsonl", *QUERY).stderr
    assert "'bad.jsonl', line 2" in line
    assert world.node.checks == []


@pytest.mark.parametrize("data", [b"\n", b" \r\n\n"])
def test_the_manifest_has_no_rows(world: World, data: bytes) -> None:
    world.write("empty.jsonl", data)
    denied(world, "bad-manifest", "empty.jsonl")


def test_an_empty_manifest(world: World) -> None:
    (world.folder / "empty.jsonl").touch()
    denied(world, "bad-manifest", "empty.jsonl")


def test_the_manifest_cannot_be_read(world: World) -> None:
    denied(world, "file-unreadable", "missing.jsonl")


def test_a_folder_of_this_and_that_is_no_manifest(world: World) -> None:
    world.write("some/a.jpg")
    denied(world, "bad-manifest", "some")


def test_the_manifest_changes_meanwhile(world: World) -> None:
    world.grant("a.jpg", "b.jpg")
    path = world.folder / "m.jsonl"

    def change(answer: Any) -> Any:
        path.write_bytes(path.read_bytes() + path.read_bytes().splitlines(keepends=True)[0])
        return answer

    world.node.twist = lambda route, answer: change(answer) if route == "check" else answer
    denied(world, "manifest-changed")


def test_the_manifest_shrinks_meanwhile(world: World) -> None:
    world.grant("a.jpg", "b.jpg")
    path = world.folder / "m.jsonl"

    def change(answer: Any) -> Any:
        path.write_bytes(path.read_bytes().splitlines(keepends=True)[0])
        return answer

    world.node.twist = lambda route, answer: change(answer) if route == "check" else answer
    denied(world, "manifest-changed")


@pytest.mark.parametrize(
    ("options", "survivor"),
    [
        (("--out", "x", "--rejected", "x"), "x"),
        (("--out", "folder"), "folder"),
        (("--out", "link"), "link"),
        (("--out", "missing/kept.jsonl"), "m.jsonl"),
    ],
)
def test_a_name_that_is_no_place_for_an_output(
    world: World, options: tuple[str, ...], survivor: str
) -> None:
    world.grant("a.jpg")
    world.write("x")
    (world.folder / "folder").mkdir()
    Path("link").symlink_to("x")
    before = world.left()
    world.fails("output-failed", "check", "m.jsonl", *QUERY, *options)
    assert survivor in world.left()
    assert world.left() == before


def test_one_output_that_fails_takes_the_others_with_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk fails when the last file is moved into place."""
    world.grant("a.jpg")
    replace = Path.replace

    def failing(self: Path, target: Path) -> Path:
        if target.name == "kept.jsonl":
            raise OSError(28, "No space left on device")
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", failing)
    denied(world, "output-failed")


@pytest.mark.parametrize(
    "arguments",
    [
        ("check", "m.jsonl", "--purpose", "train-ai"),
        ("check", "m.jsonl", *QUERY, "--max-age", "soon"),
        ("check", *QUERY),
        ("receipt", "verify", "r", "--rejected", "why.jsonl"),
        ("nonsense",),
    ],
)
def test_usage_errors_end_with_2(world: World, arguments: tuple[str, ...]) -> None:
    assert "Usage:" in world.run(*arguments, status=2).stderr


@pytest.mark.parametrize(
    ("code", "query"),
    [
        ("invalid-address", ("--grantee", "0x12", "--purpose", "train-ai")),
        (
            "invalid-address",
            ("--grantee", "0x52908400098527886E0F7030069857D2E4169Ee7", "--purpose", "train-ai"),
        ),
        ("invalid-purpose", ("--grantee", "anyone", "--purpose", "Train AI")),
    ],
)
def test_a_query_that_is_none(world: World, code: str, query: tuple[str, ...]) -> None:
    world.grant("a.jpg")
    world.fails(code, "check", "m.jsonl", *query, *OUTPUTS)
    assert "kept.jsonl" not in world.left()
