"""`sayso export`, the command: from a file, from a node, and what it refuses."""

import pytest

from cli.conftest import World
from cli.export.readings import preferences
from sayso.contributor.saved_messages import load_bundle, save_bundle

TERMS = ("--grantee", "anyone", "--purpose", "inference", "--expires", "1y")


@pytest.fixture
def licensed(world: World) -> World:
    world.write("a")
    files = ("--manifest", "m.jsonl", "--save", "c.sayso")
    world.run("grant", "a", "--key", world.key, *TERMS, *files)
    world.node.asked.clear()
    return world


def license_of(world: World) -> str:
    name: str = world.rows("m.jsonl")[0]["license"]
    return name


def test_from_a_file_and_from_a_node(licensed: World) -> None:
    from_file = licensed.run("export", "c.sayso", "--format", "aipref")
    assert "no node was asked" in from_file.stderr
    assert licensed.node.asked == []
    assert preferences(from_file.stdout)["ai-use"] == "y"
    from_node = licensed.run("export", license_of(licensed), "--format", "aipref")
    assert from_node.stdout == from_file.stdout
    assert from_node.stderr == ""
    licensed.run("export", "c.sayso", "--format", "odrl", "--out", "policy.json")
    assert "did:pkh:eip155:31337" in (licensed.folder / "policy.json").read_text()
    licensed.fails("output-failed", "export", "c.sayso", "--format", "odrl", "--out", "policy.json")


def test_what_is_revoked_is_denied(licensed: World) -> None:
    licensed.run("revoke", "everything", "--key", licensed.key, "--yes")
    result = licensed.run("export", license_of(licensed), "--format", "aipref")
    assert set(preferences(result.stdout).values()) == {"n"}
    assert "a part of the license is revoked" in result.stderr


def test_one_of_several(licensed: World) -> None:
    licensed.write("b")
    files = ("--manifest", "b.jsonl", "--save", "b.sayso")
    licensed.run("grant", "b", "--key", licensed.key, *TERMS, *files)
    both = [
        one
        for name in ("c.sayso", "b.sayso")
        for one in load_bundle(licensed.folder / name, licensed.node.network)
    ]
    save_bundle(licensed.folder / "both.sayso", both)
    licensed.fails("nothing-to-export", "export", "both.sayso", "--format", "cawg")
    wanted = ("--license", license_of(licensed))
    text = licensed.run("export", "both.sayso", "--format", "cawg", *wanted).stdout
    assert license_of(licensed) in text
    licensed.run("bundle", "pull", "m.jsonl", "--out", "licenses")
    assert licensed.run("export", "licenses", "--format", "cawg").stdout == text


def test_what_cannot_be_exported(licensed: World) -> None:
    licensed.run("revoke", "everything", "--key", licensed.key, "--yes", "--save", "stop.sayso")
    licensed.fails("nothing-to-export", "export", "stop.sayso", "--format", "cawg")
    licensed.fails("file-unreadable", "export", "missing", "--format", "cawg")
    licensed.fails("not-held", "export", "0x" + "77" * 32, "--format", "cawg")
    licensed.run("export", "c.sayso", "--format", "other", status=2)
