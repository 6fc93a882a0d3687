"""`sayso grant`: what is signed, sent and written; and that nothing is when something is wrong."""

import os
from pathlib import Path

import pytest

from cli.conftest import World
from sayso_protocol.messages.consent import Consent
from sayso_protocol.primitives import NOBODY, address_text, hex_text, sha256

TERMS = ("--grantee", "anyone", "--purpose", "train-ai", "--expires", "1y")


def consents(world: World) -> list[Consent]:
    held = (one.message for one in world.node.memory.envelopes.values())
    return [message for message in held if isinstance(message, Consent)]


def test_files_and_folders(world: World) -> None:
    for name in ("photos/b.jpg", "photos/deep/a.jpg", "voice.flac"):
        world.write(name)
    result = world.run(
        "grant", "photos", "voice.flac", "--key", world.key, *TERMS, "--manifest", "m.jsonl"
    )
    rows = world.rows("m.jsonl")
    assert [row["file"] for row in rows] == ["photos/b.jpg", "photos/deep/a.jpg", "voice.flac"]
    assert rows[0]["item"] == hex_text(sha256(b"photos/b.jpg"))
    (consent,) = consents(world)
    assert consent.notice in result.stdout
    assert rows[0]["license"] in result.stdout
    assert "3 files, 3 items licensed" in result.stdout


def test_every_term_reaches_the_consent(world: World) -> None:
    friend, guardian, grantee = (b"\x11" * 20, b"\x22" * 20, b"\x33" * 20)
    world.write("call.flac")
    world.write("terms.txt")
    world.run(
        "grant", "call.flac", "--key", world.key, "--grantee", address_text(grantee),
        "--purpose", "train-ai", "--purpose", "evaluate", "--via", "neon.app", "--expires", "2035-01-31",
        "--parties", address_text(friend), "--guardian", address_text(guardian),
        "--terms", "terms.txt", "--terms-uri", "https://neon.app/terms", "--manifest", "m.jsonl",
        "--recheck", "1d", "--removal", "2w",
    )  # fmt: skip
    (consent,) = consents(world)
    assert consent.grantee == grantee
    assert consent.purposes == ("evaluate", "train-ai")
    assert consent.via == "neon.app"
    assert consent.parties == tuple(sorted([friend, world.address]))
    assert consent.guardian == guardian
    assert (consent.terms, consent.terms_uri) == (sha256(b"terms.txt"), "https://neon.app/terms")
    assert consent.expires_at == 2_053_814_400  # 2035-01-31 00:00 UTC
    assert (consent.recheck_hours, consent.removal_days) == (24, 14)


@pytest.mark.parametrize(
    ("option", "span", "status"),
    [
        ("--recheck", "1h", 0),
        ("--recheck", "365d", 0),
        ("--recheck", "366d", 1),
        ("--recheck", "0h", 1),
        ("--recheck", "90m", 2),
        ("--recheck", "168", 2),
        ("--recheck", "a week", 2),
        ("--removal", "1d", 0),
        ("--removal", "1y", 0),
        ("--removal", "366d", 1),
        ("--removal", "0d", 1),
        ("--removal", "36h", 2),
        ("--removal", "30", 2),
        ("--removal", "-1d", 2),
    ],
)
def test_both_clocks_are_whole_and_within_a_year(
    world: World, option: str, span: str, status: int
) -> None:
    world.write("a")
    arguments = ("grant", "a", "--key", world.key, *TERMS, "--manifest", "m.jsonl", option, span)
    result = world.run(*arguments, status=status)
    assert len(consents(world)) == (status == 0)
    if status == 1:
        assert result.stderr.startswith("error [invalid-consent]")


def test_what_is_not_said_is_not_granted(world: World) -> None:
    world.write("a")
    world.run("grant", "a", "--key", world.key, *TERMS, "--manifest", "m.jsonl")
    (consent,) = consents(world)
    assert (consent.guardian, consent.via, consent.terms) == (NOBODY, "", bytes(32))
    assert consent.parties == (world.address,)
    assert (consent.recheck_hours, consent.removal_days) == (168, 30)
    assert consent.expires_at - consent.issued_at in range(31_536_000 - 60, 31_536_001)


def test_identical_and_empty_files(world: World) -> None:
    for name in ("a", "b", "c"):
        (world.folder / name).touch()
    result = world.run("grant", "a", "b", "c", "--key", world.key, *TERMS, "--manifest", "m.jsonl")
    assert "3 files, 1 item licensed" in result.stdout
    assert [consent.items for consent in consents(world)] == [1]


def test_more_files_than_one_consent_holds(world: World) -> None:
    folder = world.folder / "many"
    folder.mkdir()
    for number in range(1030):
        (folder / str(number)).write_bytes(b"%d" % number)
    world.run("grant", "many", "--key", world.key, *TERMS, "--manifest", "m.jsonl")
    assert sorted(consent.items for consent in consents(world)) == [6, 1024]
    world.run("check", "m.jsonl", "--grantee", "anyone", "--purpose", "train-ai", "--out", "kept")
    assert (world.folder / "kept").read_bytes() == (world.folder / "m.jsonl").read_bytes()


def test_a_name_that_is_no_utf8(world: World) -> None:
    name = os.fsdecode(b"photo \xff\xfe \n.jpg")
    (world.folder / name).write_bytes(b"x")
    Path("link").symlink_to(name)
    (world.folder / "d").mkdir()
    Path("d/link \x1b[2J").symlink_to("..")
    result = world.run("grant", name, "d", "--key", world.key, *TERMS, "--manifest", "m.jsonl")
    (row,) = world.rows("m.jsonl")
    assert row["file"] == "photo \\xff\\xfe \n.jpg"  # a check takes no half of a character
    assert "left out" in result.stderr
    assert "\x1b" not in result.output


def test_a_license_revoked_before_says_so(world: World) -> None:
    world.grant("a.jpg")
    world.run("revoke", "via", "kled.ai", "--key", world.key, "--yes")
    (world.folder / "m.jsonl").unlink()
    result = world.run(
        "grant", "a.jpg", "--key", world.key, *TERMS, "--via", "kled.ai", "--manifest", "m.jsonl"
    )
    assert "stays revoked" in result.stderr


def test_a_purpose_nobody_published_is_doubted(world: World) -> None:
    world.write("a.jpg")
    terms = ("--grantee", "anyone", "--purpose", "train-al", "--expires", "1y")
    result = world.run("grant", "a.jpg", "--key", world.key, *terms, "--manifest", "m.jsonl")
    assert "do you mean train-ai?" in result.stderr


@pytest.mark.parametrize(
    ("code", "options"),
    [
        ("invalid-purpose", ("--purpose", "Train")),
        ("invalid-scope", ("--via", "Kled.AI")),
        ("invalid-consent", ("--expires", "11y")),
        ("invalid-consent", ("--issued", "2031-01-01", "--expires", "2030-01-01")),
        ("invalid-consent", ("--terms-uri", "http://kled.ai")),
        ("invalid-address", ("--parties", "me")),
        ("invalid-address", ("--guardian", "0x12")),
        ("file-unreadable", ("--terms", "missing.txt")),
        ("node-unreachable", ("--node", "http://127.0.0.1:1")),
        ("output-failed", ("--manifest", "a.jpg")),
        ("output-failed", ("--manifest", "no/m.jsonl")),
        ("bad-key-file", ("--key", "missing.json")),
        ("invalid-network-file", ("--network", "missing.toml")),
    ],
)
def test_nothing_is_sent_or_written(world: World, code: str, options: tuple[str, ...]) -> None:
    world.write("a.jpg", b"photo")
    before = world.left()
    world.fails(code, "grant", "a.jpg", "--key", world.key, *TERMS, "--manifest", "m.jsonl", *options)
    assert world.left() == before
    assert (world.folder / "a.jpg").read_bytes() == b"photo"
    assert not world.node.memory.envelopes


@pytest.mark.parametrize("paths", [("missing.jpg",), ("a.jpg", "missing.jpg"), ("folder",)])
def test_a_path_without_a_file(world: World, paths: tuple[str, ...]) -> None:
    world.write("a.jpg")
    (world.folder / "folder").mkdir()
    code = "nothing-to-grant" if paths == ("folder",) else "file-unreadable"
    world.fails(code, "grant", *paths, "--key", world.key, *TERMS, "--manifest", "m.jsonl")
    assert "m.jsonl" not in world.left()
    assert not world.node.memory.envelopes


REFUSED = {"status": "refused", "error": {"code": "bad-signature", "message": "no"}, "digest": None}


@pytest.mark.parametrize(
    ("code", "results"),
    [
        ("bad-signature", [REFUSED]),
        ("node-refused", [REFUSED | {"error": {"code": "store-unusable", "message": "no"}}]),
        ("bad-answer", []),
        ("bad-answer", [{"status": "stored", "digest": "0x" + "00" * 32}]),
        ("bad-answer", [{"status": "perhaps", "digest": "0x" + "00" * 32}]),
        ("bad-answer", ["stored"]),
    ],
)
def test_a_node_that_does_not_take_it(world: World, code: str, results: list[object]) -> None:
    world.write("a.jpg")
    world.node.twist = lambda route, answer: {"results": results} if route == "messages" else answer
    world.fails(code, "grant", "a.jpg", "--key", world.key, *TERMS, "--manifest", "m.jsonl")
    # The node may have it all the same: what the license needs stays, complete, and nothing else does.
    left = {name for name in world.left() if name.startswith((".m", "m"))}
    assert left == {"m.jsonl", "m.sayso"}
    world.node.twist = None
    world.run("submit", "m.sayso")


def test_another_network_is_told_nothing(world: World) -> None:
    path = world.folder / "network.toml"
    path.write_text(path.read_text().replace("chain_id = 31337", "chain_id = 1"))
    world.write("a.jpg")
    world.fails("wrong-network", "grant", "a.jpg", "--key", world.key, *TERMS, "--manifest", "m.jsonl")
    assert not world.node.memory.envelopes


def test_salts_hide_which_files_these_are(world: World) -> None:
    for name in ("a.jpg", "b.jpg", "twin.jpg"):
        world.write(name, b"twins" if name != "b.jpg" else b"other")
    world.run(
        "grant",
        "a.jpg",
        "b.jpg",
        "twin.jpg",
        "--key",
        world.key,
        *TERMS,
        "--manifest",
        "m.jsonl",
        "--salted",
    )
    rows, salts = world.rows("m.jsonl"), world.rows("m.salts.jsonl")
    plain = {"a.jpg": sha256(b"twins"), "b.jpg": sha256(b"other"), "twin.jpg": sha256(b"twins")}
    for row, salt in zip(rows, salts, strict=True):
        assert set(row) == {"file", "item", "license"}  # a manifest is passed on, and a salt is not
        assert (salt["file"], salt["item"]) == (row["file"], row["item"])
        drawn = bytes.fromhex(salt["salt"][2:])
        assert len(drawn) == 32
        assert row["item"] == hex_text(sha256(drawn + plain[row["file"]]))
    assert rows[0]["item"] == rows[2]["item"]  # the same bytes are one item
    assert salts[0]["salt"] != salts[1]["salt"]
    assert (world.folder / "m.salts.jsonl").stat().st_mode & 0o077 == 0
    assert {hex_text(plain[name]) for name in plain}.isdisjoint(row["item"] for row in rows)
    world.fails(
        "output-failed",
        "grant",
        "a.jpg",
        "--key",
        world.key,
        *TERMS,
        "--manifest",
        "m.jsonl",
        "--salted",
    )
    world.run(
        "grant",
        "a.jpg",
        "--key",
        world.key,
        *TERMS,
        "--manifest",
        "p.jsonl",
        "--salted",
        "--print",
        status=2,
    )
