"""`sayso use`, `removal`, `dispute`, `withdraw`: shown, signed, kept, sent."""

import json
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account
from eth_account.messages import encode_typed_data

from cli.conftest import OUTPUTS, World
from cli.holder.conftest import CUSTOMER, Company, many, only
from sayso.contributor.saved_messages import load_bundle
from sayso.files import item_hash
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.messages.statements.dispute import Dispute, contributor_hash
from sayso_protocol.messages.statements.removal import Removal
from sayso_protocol.messages.statements.use import Use
from sayso_protocol.messages.typed_data import digest
from sayso_protocol.primitives import (
    address_from_text,
    address_text,
    hash_from_text,
    hex_text,
    sha256,
)

TO = ("--to", CUSTOMER, "--purpose", "train-ai", "--until", "90d")


def checked(world: World) -> dict[str, Any]:
    """A check in which one row of three is refused; returns the licenses by file."""
    rows = [
        *world.grant("a"),
        *world.grant("b", manifest="n.jsonl"),
        *world.grant("c", manifest="o.jsonl"),
    ]
    world.write("m.jsonl", b"".join(json.dumps(one).encode() + b"\n" for one in rows))
    world.run("revoke", "--file", "b", "--key", world.key, "--yes")
    query = ("--grantee", "anyone", "--purpose", "train-ai", "--run-id", "voices 7")
    world.run("check", "m.jsonl", *query, *OUTPUTS, status=3)
    world.node.memory.envelopes.clear()
    return {one["file"]: hash_from_text(one["license"]) for one in rows}


def test_a_use_is_taken_from_the_record_of_a_check(company: Company) -> None:
    licenses = checked(company.world)
    files = ("--manifest", "m.jsonl", "--rejected", "why.jsonl", "--record", "receipt.json")
    company.world.run("use", *files, "--run", "voices-7", *company.key)
    message, hashes = only(company)
    assert isinstance(message, Use)
    assert hashes == tuple(sorted((licenses["a"], licenses["c"])))
    assert (message.purpose, message.run) == ("train-ai", "voices-7")
    assert message.record == item_hash(Path("receipt.json")) == sha256(Path("receipt.json").read_bytes())


def test_what_a_record_does_not_cover_is_said(company: Company) -> None:
    checked(company.world)
    record = ("--record", "receipt.json", "--licenses", company.listed(many(2)))
    result = company.world.run("use", *record, *company.key)
    assert "not compared with the record" in result.stderr
    message, hashes = only(company)
    assert isinstance(message, Use)
    assert (message.purpose, any(message.record), len(hashes)) == ("train-ai", True, 2)
    other = ("--key", company.world.new_key("ben"), "--yes", "--purpose", "evaluate")
    result = company.world.run("use", *record, *other)
    assert "a check for train-ai, not for evaluate" in result.stderr


def test_a_record_of_other_rows_is_refused(company: Company) -> None:
    checked(company.world)
    rows = Path("m.jsonl").read_bytes().splitlines(keepends=True)
    Path("less.jsonl").write_bytes(b"".join(rows[:1]))
    record = ("--record", "receipt.json")
    company.world.fails("bad-proof", "use", "--manifest", "less.jsonl", *record, *company.key)
    result = company.world.fails("bad-manifest", "use", "--manifest", "m.jsonl", *record, *company.key)
    assert "--rejected" in result.stderr
    Path("receipt.json").write_text("{}")
    company.world.fails("malformed", "use", "--manifest", "m.jsonl", *record, *company.key)
    assert not company.sent


def test_a_use_of_a_list_needs_a_purpose(company: Company) -> None:
    name = company.listed(many(2))
    company.world.run("use", "--licenses", name, *company.key, status=2)
    company.world.run("use", "--licenses", name, "--purpose", "train-ai", *company.key)
    message, hashes = only(company)
    assert isinstance(message, Use)
    assert (message.run, any(message.record), hashes) == ("", False, tuple(sorted(many(2))))
    company.node.memory.envelopes.clear()
    at = ("--at", "2026-02-03T04:05")
    company.world.run("use", "--licenses", name, "--purpose", "train-ai", *at, *company.key)
    assert "at 2026-02-03 04:05 UTC" in only(company)[0].notice
    company.world.run(
        "use", "--licenses", name, "--purpose", "x", "--at", "noon", *company.key, status=2
    )


def test_a_list_comes_from_standard_input(company: Company) -> None:
    text = "\n".join(map(hex_text, many(3)))
    arguments = ("use", "--licenses", "-", "--purpose", "train-ai", "--key", company.world.key)
    result = company.world.run(*arguments, typed=text, status=2)
    assert "needs --yes" in result.stderr
    company.world.run(*arguments, "--yes", typed=text)
    assert only(company)[1] == tuple(sorted(many(3)))


def test_a_removal_is_as_of_the_nodes_last_final_block(company: Company) -> None:
    name = company.listed(many(2))
    company.world.run("removal", "--licenses", name, *company.key)
    message, _ = only(company)
    assert isinstance(message, Removal)
    assert message.as_of_block == 7 - company.node.trusted.finality
    company.node.memory.envelopes.clear()
    own = company.world.write("removed.csv", b"path\na\n")
    company.world.run("removal", "--licenses", name, "--as-of-block", 5, "--record", own, *company.key)
    message, _ = only(company)
    assert isinstance(message, Removal)
    assert (message.as_of_block, message.record) == (5, sha256(b"path\na\n"))


def test_a_node_that_read_no_block_gives_no_removal(company: Company) -> None:
    company.node.twist = lambda route, answer: answer | {"block": None} if route == "node" else answer
    name = company.listed(many(2))
    company.world.fails("bad-answer", "removal", "--licenses", name, *company.key)
    assert not company.sent


def test_files_are_disputed(company: Company) -> None:
    path = company.world.write("voice.wav", b"me")
    what = ("--file", path, "--item", hex_text(many(1)[0]), "--files", company.listed(many(3)))
    result = company.world.run("dispute", *what, "--code", "voice", "--until", "90d", *company.key)
    message, hashes = only(company)
    assert isinstance(message, Dispute)
    assert (message.subject, message.code) == ("files", "voice")
    assert hashes == tuple(sorted({sha256(b"me"), *many(3)}))
    assert "a person whom these files show" in result.stderr


def test_contributors_are_disputed(company: Company) -> None:
    name = company.world.write("people.txt", address_text(b"\x03" * 20).encode())
    what = ("--contributor", CUSTOMER, "--contributors", name)
    company.world.run("dispute", *what, "--code", "impersonation", "--until", "1y", *company.key)
    message, hashes = only(company)
    assert isinstance(message, Dispute)
    assert message.subject == "contributors"
    people = (address_from_text(CUSTOMER), b"\x03" * 20)
    assert hashes == tuple(sorted(map(contributor_hash, people)))


@pytest.mark.parametrize(
    ("code", "more"),
    [
        ("invalid-statement", ("--until", "2y")),
        ("invalid-statement", ("--until", "90d", "--code", "No Code")),
        ("invalid-statement", ("--until", "2001-01-01")),
        ("malformed", ("--until", "90d", "--item", "0x12")),
        ("file-unreadable", ("--until", "90d", "--files", "missing")),
    ],
)
def test_a_dispute_that_is_not_valid_is_not_signed(
    company: Company, code: str, more: tuple[str, ...]
) -> None:
    item = ("--item", hex_text(many(1)[0]), "--code", "voice")
    company.world.fails(code, "dispute", *item, *more, *company.key)
    assert not company.sent


def test_files_and_contributors_are_two_disputes(company: Company) -> None:
    both = ("--item", hex_text(many(1)[0]), "--contributor", CUSTOMER)
    for what in (both, ()):
        company.world.run("dispute", *what, "--code", "x", "--until", "1d", *company.key, status=2)


def test_nothing_is_signed_without_a_yes(company: Company) -> None:
    name = company.listed(many(2))
    ask = ("use", "--licenses", name, "--purpose", "train-ai", "--key", company.world.key)
    result = company.world.run(*ask, "--run", "secret-name", typed="n\n", status=1)
    assert "What everybody can read" in result.stderr
    assert "secret-name" in result.stderr
    assert "Sign this?" in result.stderr
    assert not company.sent
    assert not list(Path().glob("use-*"))


def test_what_is_printed_is_for_any_other_wallet(company: Company) -> None:
    name, wallet = company.listed(many(1_030)), Account.from_key(b"\x11" * 32)
    shown = json.loads(
        company.world.run(
            "use", "--licenses", name, "--purpose", "train-ai", "--print", "--account", wallet.address
        ).stdout
    )
    assert [len(one["hashes"]) for one in shown] == [1_024, 6]
    for one in shown:
        signed = wallet.sign_message(encode_typed_data(full_message=one["typed_data"]))
        assert hex_text(signed.message_hash) == one["digest"]
        assert one["typed_data"]["message"]["signer"] == wallet.address
    assert not company.sent
    assert company.node.asked == []


def test_a_contract_wallet_endorses(company: Company) -> None:
    name = company.listed(many(1_030))
    safe = ("--account", CUSTOMER, "--endorse", "--yes", "--save", "safe")
    result = company.world.run("use", "--licenses", name, "--purpose", "train-ai", *safe)
    calls = json.loads(result.stdout)
    held = company.saved("safe")
    assert [one.signature for one in held] == [b"", b""]
    assert {one.message.signer for one in held} == {address_from_text(CUSTOMER)}
    digests = {digest(one.message, company.node.network) for one in held}
    assert {one["digest"] for one in calls} == {*map(hex_text, digests)}
    for call in calls:
        assert call["to"] == address_text(company.node.network.registry)
        assert call["data"] == "0xa2e40e50" + call["digest"][2:]  # endorse(bytes32)
        assert call["value"] == "0"
    assert not company.sent, "nothing is sent before the endorsement is on the chain"


def test_a_key_in_the_environment_does_not_sign_for_a_contract_wallet(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SAYSO_KEY", str(company.world.key))
    ask = ("use", "--licenses", company.listed(many(1)), "--purpose", "train-ai", "--yes")
    company.world.run(*ask, "--account", CUSTOMER, "--endorse", "--save", "safe")
    (envelope,) = company.saved("safe")
    assert (envelope.message.signer, envelope.signature) == (address_from_text(CUSTOMER), b"")
    company.world.run(*ask)
    assert only(company)[0].signer == company.address


def test_who_endorses_must_be_named(company: Company) -> None:
    name = company.listed(many(1))
    use = ("use", "--licenses", name, "--purpose", "train-ai", "--endorse")
    company.world.run(*use, status=2)
    company.world.run(*use, "--account", CUSTOMER, "--key", company.world.key, status=2)


def test_statements_are_withdrawn(company: Company) -> None:
    name = company.listed(many(20))
    result = company.world.run(
        "withdraw", "--digests", name, *company.key, "--acknowledgement", "kept.json"
    )
    assert result.stdout.count("  statement 0x") == 20
    assert result.stdout.count("kept by Fake") == 2
    messages = [one.message for one in company.sent]
    assert all(isinstance(one, Revocation) for one in messages)
    scopes = [scope for one in messages if isinstance(one, Revocation) for scope in one.scopes]
    assert sorted(scopes) == sorted(f"statement {hex_text(one)}" for one in many(20))
    assert max(len(one.scopes) for one in messages if isinstance(one, Revocation)) == 16
    assert len(json.loads(Path("kept.json").read_text())) == 2


def test_what_a_command_kept_is_withdrawn(company: Company) -> None:
    name = company.listed(many(1_030))
    company.world.run("use", "--licenses", name, "--purpose", "train-ai", "--keep", "run", *company.key)
    company.node.memory.envelopes.clear()
    company.world.run("withdraw", "--statements", "run", *company.key, "--save", "w.sayso")
    assert not company.sent
    (envelope,) = load_bundle(Path("w.sayso"), company.node.network)
    assert isinstance(envelope.message, Revocation)
    assert len(envelope.message.scopes) == 2


def test_only_the_signers_own_statements_are_withdrawn(company: Company) -> None:
    company.licensed(1)
    key = ("--key", company.world.key, "--yes")
    company.world.fails("other-statements", "withdraw", "--statements", "licenses", *key)
    company.world.fails("nothing-to-state", "withdraw", *key)
    company.world.fails("malformed", "withdraw", "0x12", *key)
    assert not company.sent


@pytest.mark.parametrize("command", ["sublicense", "use", "removal"])
def test_something_must_be_named(company: Company, command: str) -> None:
    more = TO if command == "sublicense" else ("--purpose", "train-ai") if command == "use" else ()
    company.world.run(command, *more, *company.key, status=2)
    empty = company.world.write("empty.txt", b"\n")
    company.world.fails("nothing-to-state", command, *more, "--licenses", empty, *company.key)
    company.world.write("empty.txt", b"\x00")
    company.world.fails("bad-list", command, *more, "--licenses", empty, *company.key)
