"""Offline: signed consents and signed snapshots, nobody is asked; and what may not speak is an error."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from nacl.signing import SigningKey

from cli.conftest import OUTPUTS, QUERY, denied
from cli.gate.conftest import Buyer
from sayso.contributor.saved_messages import load_bundle, save_bundle
from sayso.networks import load_network, save_network
from sayso_protocol.network import Network
from sayso_protocol.network_file import Operator

BUNDLE = ("--bundle", "licenses.sayso")
OFFLINE = ("--offline", "north.snapshot", *BUNDLE)


def test_nobody_is_asked(buyer: Buyer) -> None:
    buyer.revoke()
    buyer.snapshot()
    buyer.bundle()
    asked = list(buyer.node.asked)
    result = buyer.check("m.jsonl", *OFFLINE, *OUTPUTS, "--report", "report.html", status=3)
    assert buyer.node.asked == asked
    assert "3 clear, 1 not clear" in result.stdout
    assert "snapshot signed by Fake" in result.stdout
    assert [one["reason"] for one in buyer.world.rows("why.jsonl")] == ["revoked"]
    files = ("--manifest", "m.jsonl", "--rejected", "why.jsonl")
    assert "checked offline" in buyer.world.run("receipt", "verify", "receipt.json", *files).stdout
    buyer.world.write("why.jsonl", b"\n")
    buyer.world.fails("bad-proof", "receipt", "verify", "receipt.json", *files)


def test_it_says_what_a_node_says(buyer: Buyer) -> None:
    buyer.revoke("a.flac")
    for purpose in ("train-ai", "advertising"):
        query = ("--grantee", "anyone", "--purpose", purpose, "--json")
        online = json.loads(buyer.world.run("check", "m.jsonl", *query, status=3).stdout)
        buyer.snapshot()
        buyer.bundle()
        offline = json.loads(buyer.world.run("check", "m.jsonl", *query, *OFFLINE, status=3).stdout)
        assert online["reasons"] == offline["reasons"]


def test_the_union_of_several_operators(buyer: Buyer) -> None:
    buyer.snapshot("before.snapshot")
    buyer.revoke()
    buyer.snapshot()
    buyer.bundle()
    buyer.check("m.jsonl", "--offline", "before.snapshot", *BUNDLE)
    both = ("--offline", "before.snapshot", *OFFLINE)
    assert "1 not clear" in buyer.check("m.jsonl", *both, status=3).stdout


def test_a_license_that_is_not_in_the_bundle_is_unknown(buyer: Buyer) -> None:
    buyer.bundle()
    buyer.world.grant("e.flac", manifest="e.jsonl")
    buyer.snapshot()
    result = buyer.check("e.jsonl", *OFFLINE, *OUTPUTS, status=3)
    assert "unknown" in result.stdout
    assert (buyer.folder / "kept.jsonl").read_bytes() == b""


def test_a_consent_that_is_newer_than_the_snapshot_is_stale(buyer: Buyer) -> None:
    buyer.snapshot(age_s=50)
    buyer.bundle()
    result = buyer.check("m.jsonl", *OFFLINE, status=3)
    assert "  stale                4" in result.stdout
    assert "Fetch a newer snapshot: sayso snapshot pull" in result.stderr
    assert result.stderr.count("\n") == 1  # and no bar, where nobody looks


def _old(buyer: Buyer) -> None:
    buyer.snapshot(age_s=3_600)


def _cut(buyer: Buyer) -> None:
    path = buyer.snapshot()
    path.write_bytes(path.read_bytes()[:-1])


def _head_changed(buyer: Buyer) -> None:
    part = buyer.snapshot_part()
    moment = replace(part.head.moment, expires_at=part.head.moment.expires_at + 1)
    forged = replace(part, head=replace(part.head, moment=moment))
    (buyer.folder / "north.snapshot").write_bytes(forged.data)


def _of_a_stranger(buyer: Buyer) -> None:
    buyer.node.key, key = SigningKey(b"x" * 32), buyer.node.key
    buyer.snapshot()
    buyer.node.key = key


def _of_another_network(buyer: Buyer) -> None:
    buyer.node.network, network = Network(1, bytes(20)), buyer.node.network
    buyer.snapshot()
    buyer.node.network = network


def _missing(buyer: Buyer) -> None:
    """No file is there."""


def _text(buyer: Buyer) -> None:
    (buyer.folder / "north.snapshot").write_text("not found\n")


FAULTS = {
    "older than the maximal age": ("snapshot-expired", _old),
    "cut short": ("snapshot-tampered", _cut),
    "a changed head": ("bad-signature", _head_changed),
    "signed by nobody we trust": ("unknown-signer", _of_a_stranger),
    "of another network": ("wrong-network", _of_another_network),
    "missing": ("file-unreadable", _missing),
    "something else": ("malformed", _text),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_snapshot_that_may_not_speak(buyer: Buyer, name: str) -> None:
    code, make = FAULTS[name]
    buyer.revoke()  # or there would be nothing in a snapshot to change
    buyer.bundle()
    make(buyer)
    denied(buyer.world, code, "m.jsonl", *OFFLINE)
    gate = buyer.gate(offline=["north.snapshot"], bundle="licenses.sayso")
    with pytest.raises(Exception) as caught:  # noqa: PT011 - the code is looked at
        gate.batch(buyer.table())
    assert getattr(caught.value, "code", None) == code


def test_a_consent_that_was_changed(buyer: Buyer) -> None:
    buyer.snapshot()
    path = buyer.bundle()
    (envelope,) = load_bundle(path, buyer.node.network)
    forged = replace(envelope, signature=envelope.signature[:9] + b"\0" + envelope.signature[10:])
    save_bundle(path, [forged])
    denied(buyer.world, "bad-signature", "m.jsonl", *OFFLINE)


def test_verify_means_every_message_of_the_file(buyer: Buyer) -> None:
    """A forged revocation is not called valid because a check needs only the consents."""
    buyer.revoke()
    messages = list(buyer.node.memory.envelopes.values())
    (stop,) = (one for one in messages if not one.items)
    save_bundle(path := buyer.folder / "all.sayso", messages)
    assert "1 license, every signature" in buyer.world.run("bundle", "verify", path).stdout
    forged = replace(stop, signature=stop.signature[:9] + b"\0" + stop.signature[10:])
    save_bundle(path, [one for one in messages if one is not stop] + [forged])
    buyer.world.fails("bad-signature", "bundle", "verify", path)


def test_bundle_pull_verify_info(buyer: Buyer) -> None:
    buyer.world.run("bundle", "pull", "m.jsonl", "--out", "licenses")
    assert {one.name for one in Path("licenses").iterdir()} == {"00000.sayso"}
    said = buyer.world.run("bundle", "verify", "licenses", "--manifest", "m.jsonl").stdout
    assert "all 4 rows name a license and an item of the bundle" in said
    told = json.loads(buyer.world.run("bundle", "info", "licenses", "--json").stdout)
    assert (told["licenses"], told["items"], told["permissions"]) == (1, 4, 4)
    assert told["terms"] == {"to anyone for train-ai": 1}
    assert "1 license to anyone for train-ai" in buyer.world.run("bundle", "info", "licenses").stdout
    buyer.snapshot()
    buyer.check("m.jsonl", "--offline", "north.snapshot", "--bundle", "licenses")
    buyer.world.grant("e.flac", manifest="e.jsonl")
    buyer.world.fails("bad-manifest", "bundle", "verify", "licenses", "--manifest", "e.jsonl")
    buyer.world.fails("output-failed", "bundle", "pull", "m.jsonl", "--out", "licenses")
    lost = {"license": "0x" + "00" * 32, "item": "0x" + "00" * 32}
    buyer.world.write("lost.jsonl", json.dumps(lost).encode())
    buyer.world.fails("bad-manifest", "bundle", "pull", "lost.jsonl", "--out", "more")
    assert "more" not in buyer.world.left()


def test_a_trusted_key_that_was_taken_out_speaks_no_more(buyer: Buyer) -> None:
    buyer.snapshot()
    buyer.bundle()
    trusted = load_network(buyer.folder / "network.toml")
    other = Operator("Other", bytes(SigningKey(b"o" * 32).verify_key))
    save_network(buyer.folder / "network.toml", replace(trusted, operators=(other,)))
    buyer.world.fails("unknown-signer", "check", "m.jsonl", *QUERY, *OFFLINE)
