"""`sayso revoke`, `submit` and `licenses`: what is hit is shown, what is sent is acknowledged."""

import json

import pytest

from cli.conftest import World
from sayso.contributor.saved_messages import MAX_BYTES, load_bundle
from sayso_protocol.messages.consent import Consent
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.primitives import address_text, hex_text, sha256


def revocations(world: World) -> list[Revocation]:
    held = (one.message for one in world.node.memory.envelopes.values())
    return [message for message in held if isinstance(message, Revocation)]


def clear_files(world: World, purpose: str = "train-ai") -> list[str]:
    """Which of the manifest's files are still clear."""
    query = ("--grantee", "anyone", "--purpose", purpose)
    for status in (0, 3):
        try:
            world.run("check", "m.jsonl", *query, "--out", "kept.jsonl", status=status)
        except AssertionError:
            continue
        return [row["file"] for row in world.rows("kept.jsonl")]
    raise AssertionError("the check failed")


@pytest.mark.parametrize(
    ("arguments", "train", "evaluate"),
    [
        (("everything",), [], []),
        (("everything", "for", "train-ai"), [], ["a", "b", "c"]),
        (("via", "kled.ai"), [], []),
        (("via kled.ai for evaluate",), ["a", "b", "c"], []),
        (("via", "other.ai"), ["a", "b", "c"], ["a", "b", "c"]),
        (("--file", "b"), ["a", "c"], ["a", "c"]),
        (("--purpose", "evaluate"), ["a", "b", "c"], []),
        (("--file", "b", "--file", "c", "--purpose", "train-ai"), ["a"], ["a", "b", "c"]),
        (("to", "0x" + "11" * 20), ["a", "b", "c"], ["a", "b", "c"]),
        (("--license", "L"), [], []),
        (("--license", "L", "--purpose", "evaluate"), ["a", "b", "c"], []),
        (("--license", "L", "--file", "a", "--file", "c"), ["b"], ["b"]),
        (("--license", "L", "--item", "I", "--purpose", "train-ai"), ["b", "c"], ["a", "b", "c"]),
    ],
)
def test_what_is_taken_back(
    world: World, arguments: tuple[str, ...], train: list[str], evaluate: list[str]
) -> None:
    row = world.grant("a", "b", "c", purposes="train-ai evaluate")[0]
    filled = [{"L": row["license"], "I": row["item"]}.get(one, one) for one in arguments]
    world.run("revoke", *filled, "--key", world.key, "--yes")
    assert clear_files(world) == train
    assert clear_files(world, "evaluate") == evaluate


def test_what_it_hits_is_shown_before_it_is_signed(world: World) -> None:
    license_hash = world.grant("a", "b", purposes="train-ai evaluate")[0]["license"]
    result = world.run(
        "revoke", "via", "kled.ai", "for", "train-ai", "--key", world.key, typed="n\n", status=1
    )
    assert "cannot be undone" in result.stdout
    assert "  via kled.ai for train-ai\n" in result.stdout
    assert license_hash in result.stdout
    assert "2 of 4 permissions" in result.stdout
    assert "Sign the revocation?" in result.stderr
    assert not revocations(world), "it was sent without a yes"
    result = world.run("revoke", "via", "kled.ai", "--key", world.key, typed="y\n")
    assert "kept by Fake" in result.stdout
    assert len(revocations(world)) == 1


@pytest.mark.parametrize(("purposes", "scopes"), [((), [""]), (("evaluate",), [" for evaluate"])])
def test_a_whole_license_is_one_sentence(
    world: World, purposes: tuple[str, ...], scopes: list[str]
) -> None:
    """Rule 5.8: a wallet shows it on two lines, and no digits."""
    license_hash = world.grant("a", "b", purposes="train-ai evaluate")[0]["license"]
    named = [text for one in purposes for text in ("--purpose", one)]
    result = world.run("revoke", "--license", license_hash, *named, "--key", world.key, "--yes")
    (consent,) = (
        one.message for one in world.node.memory.envelopes.values() if isinstance(one.message, Consent)
    )
    (revocation,) = revocations(world)
    assert list(revocation.scopes) == [f"agreement {hex_text(consent.agreement)}{one}" for one in scopes]
    assert (revocation.words, revocation.masks) == ((), ())
    assert "the whole license with the agreement 0x" in result.stdout


def test_addresses_of_a_scope_in_any_case(world: World) -> None:
    mixed = address_text(b"\xab" * 20)
    for words in (("to", mixed), (f"ward {mixed} to {mixed}",), ("statements", "to", mixed)):
        world.run("revoke", *words, "--key", world.key, "--yes")
    lower = mixed.lower()
    assert [one.scopes for one in revocations(world)] == [
        (f"to {lower}",),
        (f"ward {lower} to {lower}",),
        (f"statements to {lower}",),
    ]
    for words in (("to",), ("to", "0x" + "00" * 20)):
        world.fails("invalid-scope", "revoke", *words, "--key", world.key, "--yes")
    for words in (("to", "kled.ai"), ("to", mixed[:-1]), ("to", "0x" + "Ab" * 20)):
        world.fails("invalid-address", "revoke", *words, "--key", world.key, "--yes")


def test_hitting_nothing_warns_and_still_holds(world: World) -> None:
    result = world.run("revoke", "everything", "for", "train-ai", "--key", world.key, "--yes")
    assert "covers no license" in result.stderr
    world.grant("a")
    assert clear_files(world) == []


def test_a_slip_in_a_purpose_is_doubted(world: World) -> None:
    world.grant("a")
    result = world.run("revoke", "everything for train-al", "--key", world.key, "--yes")
    assert "do you mean train-ai?" in result.stderr


def salted(world: World, *names: str, manifest: str = "m.jsonl") -> list[dict[str, str]]:
    """License files with secrets; returns the rows of the manifest."""
    for name in names:
        world.write(name)
    terms = ("--grantee", "anyone", "--purpose", "train-ai", "--via", "kled.ai", "--expires", "1y")
    world.run("grant", *names, "--key", world.key, *terms, "--manifest", manifest, "--salted")
    return world.rows(manifest)


def test_files_with_secrets_are_found_by_their_bytes(world: World) -> None:
    salted(world, "a", "b", "c")
    plain = hex_text(sha256(b"b"))
    (world.folder / "b").rename(world.folder / "renamed")
    file = ("--file", "renamed", "--key", world.key)
    told = world.run("revoke", *file, typed="n\n", status=1)
    assert "covers no license" in told.stderr
    assert "--salts" in told.stderr
    told = world.run("revoke", *file, "--salts", "m.salts.jsonl", "--yes")
    assert "1 of 3 permissions" in told.stdout
    assert plain not in told.stdout  # nobody is told which file it is
    assert clear_files(world) == ["a", "c"]
    # Also in one license, and though other secrets of the same bytes name other licenses.
    world.write("b")
    license_hash = salted(world, "b", manifest="again.jsonl")[0]["license"]
    both = ("--salts", "m.salts.jsonl", "--salts", "again.salts.jsonl")
    told = world.run("revoke", "--license", license_hash, *file, *both, "--yes")
    assert "1 of 1 permission" in told.stdout
    # Where it was licensed without a secret, too, the plain hash is public, and named as well.
    salted(world, "d", manifest="secret.jsonl")
    world.grant("d", manifest="plain.jsonl")
    told = world.run(
        "revoke", "--file", "d", "--salts", "secret.salts.jsonl", "--key", world.key, "--yes"
    )
    assert told.stdout.count("1 of 1 permission") == 2


@pytest.mark.parametrize(
    "line",
    [
        b"no JSON",
        b"[]",
        b'{"item": "0x' + b"1" * 64 + b'"}',
        b'{"item": "0x' + b"1" * 64 + b'", "salt": ""}',
        b'{"item": "0x' + b"1" * 64 + b'", "salt": {}}',
        b'{"item": "0x'
        + b"1" * 64
        + b'", "item": "0x'
        + b"2" * 64
        + b'", "salt": "0x'
        + b"3" * 64
        + b'"}',
        b" " * 70_000,
    ],
)
def test_a_file_of_salts_that_is_none(world: World, line: bytes) -> None:
    salted(world, "a")
    path = world.folder / "m.salts.jsonl"
    path.write_bytes(path.read_bytes() + line)
    options = ("--file", "a", "--key", world.key, "--yes")
    world.fails("bad-salts", "revoke", *options, "--salts", path)
    world.fails("file-unreadable", "revoke", *options, "--salts", "none.jsonl")
    world.run("revoke", "everything", "--salts", path, "--key", world.key, status=2)
    assert not revocations(world)


def test_repeating_it_is_fine(world: World) -> None:
    world.grant("a")
    first = world.run("revoke", "everything", "--key", world.key, "--yes").stdout
    second = world.run("revoke", "everything", "--key", world.key, "--yes").stdout
    assert [line for line in first.splitlines() if line.startswith("revocation")] == [
        line for line in second.splitlines() if line.startswith("revocation")
    ]
    assert len(revocations(world)) == 1


def test_saved_and_sent_by_somebody_else(world: World) -> None:
    world.grant("a")
    world.run("revoke", "everything", "--key", world.key, "--yes", "--save", "r.sayso")
    assert not revocations(world)
    world.key.unlink()
    result = world.run("submit", "r.sayso")
    assert "kept by Fake" in result.stdout
    assert clear_files(world) == []


def test_saved_without_any_node(world: World) -> None:
    result = world.run(
        "revoke", "everything", "--key", world.key, "--yes", "--save", "r.sayso",
        "--node", "http://127.0.0.1:1",
    )  # fmt: skip
    assert "no node was available" in result.stderr
    (envelope,) = load_bundle(world.folder / "r.sayso", world.node.network)
    assert envelope.message.signer == world.address


def test_a_forged_message_is_not_sent(world: World) -> None:
    world.run("revoke", "everything", "--key", world.key, "--yes", "--save", "r.sayso")
    data = bytearray((world.folder / "r.sayso").read_bytes())
    data[data.index(world.address)] ^= 1
    world.write("forged.sayso", bytes(data))
    world.fails("bad-signature", "submit", "forged.sayso")
    assert "messages" not in world.node.asked


@pytest.mark.parametrize(
    ("code", "data"),
    [("malformed", b"no bundle"), ("malformed", b"\x90"), ("too-large", b"x" * (MAX_BYTES + 1))],
)
def test_a_file_that_is_no_bundle(world: World, code: str, data: bytes) -> None:
    world.write("x.sayso", data)
    world.fails(code, "submit", "x.sayso")
    world.fails("file-unreadable", "submit", "missing.sayso")


@pytest.mark.parametrize(
    ("code", "arguments"),
    [
        ("nothing-to-revoke", ()),
        ("nothing-to-revoke", ("everything", "--purpose", "train-ai")),
        ("invalid-scope", ("the lot",)),
        ("invalid-scope", ("via", "Kled.AI")),
        ("invalid-purpose", ("everything", "for", "Training")),
        ("malformed", ("--license", "0x12")),
        ("malformed", ("--item", "12")),
        ("file-unreadable", ("--file", "missing.jpg")),
        ("nothing-to-revoke", ("--license", "L", "--file", "network.toml")),
        ("nothing-to-revoke", ("--license", "L", "--purpose", "advertising")),
        ("not-held", ("--license", "0x" + "77" * 32)),
        ("node-unreachable", ("everything", "--node", "http://127.0.0.1:1")),
        ("node-unreachable", ("--license", "L", "--save", "x", "--node", "http://127.0.0.1:1")),
    ],
)
def test_nothing_is_signed(world: World, code: str, arguments: tuple[str, ...]) -> None:
    license_hash = world.grant("a")[0]["license"]
    filled = [license_hash if one == "L" else one for one in arguments]
    before = world.left()
    world.fails(code, "revoke", *filled, "--key", world.key, "--yes")
    assert not revocations(world)
    assert world.left() == before


def test_somebody_elses_license(world: World) -> None:
    license_hash = world.grant("a")[0]["license"]
    world.fails(
        "nothing-to-revoke", "revoke", "--license", license_hash, "--key", world.new_key("ben"), "--yes"
    )


@pytest.mark.parametrize(
    "arguments",
    [("--on-chain",), ("--rpc", "http://127.0.0.1:1"), ("--on-chain", "--rpc", "x", "--save", "y")],
)
def test_options_that_do_not_fit(world: World, arguments: tuple[str, ...]) -> None:
    world.run("revoke", "everything", "--key", world.key, *arguments, status=2)


def test_a_guardian_takes_back_what_names_it(world: World) -> None:
    ben = world.new_key("ben")
    guardian = json.loads(world.run("key", "show", ben, "--json").stdout)["address"]
    world.write("a")
    terms = ("--grantee", "anyone", "--purpose", "train-ai", "--expires", "1y", "--guardian", guardian)
    world.run("grant", "a", "--key", world.key, *terms, "--manifest", "m.jsonl")
    (row,) = world.rows("m.jsonl")
    licensed = ("revoke", "--license", row["license"], "--key", ben, "--yes")
    world.fails("nothing-to-revoke", *licensed, "--file", "a")
    result = world.run(*licensed)
    assert "1 of 1 permission" in result.stdout
    assert clear_files(world) == []
    sentence = ("ward", hex_text(world.address), "everything")
    result = world.run("revoke", *sentence, "--key", ben, "--yes")
    assert "1 of 1 permission" in result.stdout


@pytest.mark.parametrize(
    ("code", "change"),
    [
        ("not-acknowledged", lambda result: {k: v for k, v in result.items() if k != "acknowledgement"}),
        ("bad-answer", lambda result: result | {"acknowledgement": {}}),
        (
            "bad-signature",
            lambda result: result | {"acknowledgement": result["acknowledgement"] | {"time": 1}},
        ),
        ("bad-answer", lambda result: result | {"digest": "0x" + "00" * 32}),
    ],
)
def test_an_acknowledgement_nobody_signed(world: World, code: str, change: object) -> None:
    def twist(route: str, answer: dict[str, list[object]]) -> object:
        return {"results": [change(one) for one in answer["results"]]} if route == "messages" else answer  # type: ignore[operator]

    world.grant("a")
    world.node.twist = twist
    world.fails(code, "revoke", "everything", "--key", world.key, "--yes")


def test_an_acknowledgement_of_something_else(world: World) -> None:
    world.grant("a")
    said: list[object] = []

    def twist(route: str, answer: dict[str, list[dict[str, object]]]) -> object:
        if route == "messages":
            said.append(answer["results"][0]["acknowledgement"])
            answer["results"][0]["acknowledgement"] = said[0]
        return answer

    world.node.twist = twist
    world.run("revoke", "everything", "--key", world.key, "--yes")
    world.fails("bad-answer", "revoke", "via", "kled.ai", "--key", world.key, "--yes")
