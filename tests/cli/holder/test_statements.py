"""`sayso removal`, `dispute`, `withdraw`: shown, signed, kept, sent."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from eth_account import Account
from eth_account.messages import encode_typed_data

from cli.holder.conftest import CUSTOMER, Company, many, only
from sayso.contributor.saved_messages import load_bundle
from sayso.networks import save_network
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.messages.statements.dispute import Dispute, contributor_hash
from sayso_protocol.messages.statements.removal import Removal
from sayso_protocol.messages.typed_data import digest
from sayso_protocol.primitives import (
    address_from_text,
    address_text,
    hex_text,
    sha256,
)

TO = ("--to", CUSTOMER, "--purpose", "train-ai", "--until", "90d")


def test_a_list_comes_from_standard_input(company: Company) -> None:
    text = "\n".join(map(hex_text, many(3)))
    arguments = ("use", "--licenses", "-", "--purpose", "train-ai", "--key", company.world.key)
    result = company.world.run(*arguments, typed=text, status=2)
    assert "needs --yes" in result.stderr
    company.world.run(*arguments, "--yes", typed=text)
    assert only(company)[1] == tuple(sorted(many(3)))


def test_a_removal_is_as_of_the_nodes_last_final_block(company: Company) -> None:
    name = company.listed(many(2))
    save_network(company.world.folder / "network.toml", replace(company.node.trusted, finality=3))
    company.world.run("removal", "--licenses", name, *company.key)
    message, _ = only(company)
    assert isinstance(message, Removal)
    assert message.as_of_block == 7 - 3
    company.node.memory.envelopes.clear()
    own = company.world.write("removed.csv", b"path\na\n")
    company.world.run("removal", "--licenses", name, "--as-of-block", 5, "--record", own, *company.key)
    message, _ = only(company)
    assert isinstance(message, Removal)
    assert (message.as_of_block, message.record) == (5, sha256(b"path\na\n"))


def test_a_node_that_has_no_final_block_gives_no_removal(company: Company) -> None:
    name, path = company.listed(many(2)), company.world.folder / "network.toml"
    save_network(path, replace(company.node.trusted, finality=8))
    company.world.fails("bad-answer", "removal", "--licenses", name, *company.key)
    company.node.twist = lambda route, answer: answer | {"block": None} if route == "node" else answer
    save_network(path, company.node.trusted)
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
        ("malformed", ("--until", "90d", "--item", "0x12")),
        ("file-unreadable", ("--until", "90d", "--files", "missing")),
    ],
)
def test_a_dispute_that_is_not_valid_is_not_signed(
    company: Company, code: str, more: tuple[str, ...]
) -> None:
    item = ("--item", hex_text(many(1)[0]), "--code", "voice")
    company.world.fails(code, "dispute", *item, *more, *company.key)
    past = company.world.run("dispute", *item, "--until", "2001-01-01", *company.key, status=2)
    assert "'2001-01-01' is in the past" in past.stderr
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
    key = ("--key", company.world.key, "--yes")
    name = company.listed(many(1))
    ben = ("--key", company.world.new_key("ben"), "--yes")
    company.world.run("use", "--licenses", name, "--purpose", "x", *ben, "--save", "theirs")
    company.world.fails("other-statements", "withdraw", "--statements", "theirs", *key)
    company.world.run("withdraw", hex_text(many(1)[0]), *key, "--save", "w.sayso")
    company.world.fails("other-statements", "withdraw", "--statements", "w.sayso", *key)
    company.world.run("withdraw", *key, status=2)
    empty = company.world.write("none.txt", b"\n")
    company.world.fails("nothing-to-state", "withdraw", "--digests", empty, *key)
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
