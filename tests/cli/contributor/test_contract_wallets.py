"""Whoever signs by a contract wallet has the whole command line: a node's signed word is enough."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account
from eth_account.messages import encode_defunct, encode_typed_data
from nacl.signing import SigningKey

from cli.conftest import World
from protocol.signatures.test_wallet_forms import forms
from sayso.contributor.saved_messages import load_bundle
from sayso_protocol.primitives import address_from_text, hex_text, keccak
from sayso_protocol.signatures.contract_wallets import WalletProof, wrap
from sayso_protocol.verdicts.verdict import Reason
from support.fake_node import NETWORK
from support.wallet_signer import NotYet, Signer, serving_signer

SAFE = "0x8617E340B3D01FA5F11F306F4090FD50E238070D"
OWNER = Account.from_key(b"\x31" * 32)
TERMS = ("--grantee", "anyone", "--purpose", "train-ai", "--expires", "1y")


class Wallet:
    """A contract wallet in the signer; `waits` messages are refused until other owners signed."""

    def __init__(self) -> None:
        self.signature: Any = "0x" + "ab" * 130
        self.waits = 0
        self.signer = Signer(SAFE, self.sign, NETWORK.chain_id)
        self.url = ""

    def sign(self, _data: dict[str, Any]) -> Any:
        if self.waits:
            self.waits -= 1
            raise NotYet("2 of 3 owners have to sign; 1 has")
        return self.signature


@pytest.fixture
def wallet(world: World) -> Iterator[Wallet]:
    world.node.contract_wallets.add(address_from_text(SAFE))
    wallet = Wallet()
    with serving_signer(wallet.signer) as wallet.url:
        yield wallet


def grant(world: World, wallet: Wallet, *more: str) -> str:
    world.write("a")
    world.run("grant", "a", "--signer", wallet.url, *TERMS, "--manifest", "m.jsonl", *more)
    name: str = world.rows("m.jsonl")[0]["license"]
    return name


def test_grant_licenses_and_revoke(world: World, wallet: Wallet) -> None:
    name = grant(world, wallet)
    listed = world.run("licenses", "--signer", wallet.url).stdout
    assert name in listed
    assert "signed by a contract wallet: accepted (Fake, at block 7)" in listed
    (told,) = json.loads(world.run("licenses", SAFE, "--json").stdout)
    assert told["wallet"] == {"accepted": True, "by": "Fake", "block_number": 7}
    world.node.asked.clear()
    result = world.run("revoke", "--license", name, "--signer", wallet.url, "--yes")
    assert "1 of 1 permission" in result.stdout
    assert "kept by Fake" in result.stdout
    assert "status" not in world.node.asked  # nobody has to agree to a revocation
    assert "1 of 1 permission revoked" in world.run("licenses", SAFE).stdout
    assert "signed by a contract wallet" in world.run("status", name).stdout


@pytest.mark.parametrize("command", ["licenses", "export"])
def test_a_word_that_is_not_the_operators(world: World, wallet: Wallet, command: str) -> None:
    """Another key, or another license than the one asked for."""
    name = grant(world, wallet)
    asked = ("licenses", SAFE) if command == "licenses" else ("export", name, "--format", "aipref")
    world.run(*asked)
    key, world.node.key = world.node.key, SigningKey(b"o" * 32)
    world.fails("unknown-signer", *asked)
    world.node.key = key
    world.node.twist = lambda route, answer: (
        answer | {"item": "0x" + "55" * 32} if route == "status" else answer
    )
    assert world.run(*asked, status=1).stderr.startswith("error [bad-")


def test_what_the_node_signs_about_the_wallet(world: World, wallet: Wallet) -> None:
    name = grant(world, wallet)
    world.node.status_reason = Reason.UNKNOWN
    result = world.fails("bad-answer", "licenses", SAFE)
    assert "signs that it does not hold it" in result.stderr
    world.node.status_reason = Reason.STALE  # the wallet refuses, or was not asked in time
    assert "not sure now" in world.run("licenses", SAFE).stdout
    world.fails("unsupported", "export", name, "--format", "aipref")
    world.run("revoke", "--license", name, "--signer", wallet.url, "--yes")


def test_signatures_that_take_days(world: World, wallet: Wallet) -> None:
    for at in range(20):
        world.write(f"f{at}")
    files = [part for at in range(20) for part in ("--file", f"f{at}")]
    command = ("revoke", *files, "--signer", wallet.url, "--yes", "--save", "stop.sayso")
    wallet.waits = 1
    result = world.fails("signer-failed", *command)
    assert "2 of 3 owners have to sign" in result.stderr
    assert "signed and saved: 0 of 2 revocations; to continue, repeat the same command" in result.stderr
    assert not (world.folder / "stop.sayso").exists()

    def second_waits(_data: dict[str, Any]) -> Any:
        wallet.signer.sign = wallet.sign
        wallet.waits = 1
        return wallet.signature

    wallet.signer.sign = second_waits
    result = world.fails("signer-failed", *command)
    assert "signed and saved: 1 of 2 revocations" in result.stderr
    assert len(load_bundle(world.folder / "stop.sayso", NETWORK)) == 1
    wallet.signer.asked.clear()
    world.run(*command)
    assert len(wallet.signer.asked) == 1  # what is signed is not asked for again
    world.run(*command)
    assert len(wallet.signer.asked) == 1
    result = world.run("submit", "stop.sayso")
    assert result.stdout.count("kept by Fake") == 2


def test_a_file_of_other_messages_is_left_alone(world: World, wallet: Wallet) -> None:
    who = ("--signer", wallet.url, "--yes", "--save", "stop.sayso")
    world.run("revoke", "everything", *who)
    before = (world.folder / "stop.sayso").read_bytes()
    world.fails("other-statements", "revoke", "via", "kled.ai", *who)
    world.write("stop.sayso", b"something else")
    world.fails("malformed", "revoke", "everything", *who)
    assert (world.folder / "stop.sayso").read_bytes() != before
    assert (world.folder / "stop.sayso").read_bytes() == b"something else"


def test_a_consent_that_several_owners_sign_over_days(world: World, wallet: Wallet) -> None:
    wallet.waits = 1
    world.write("a")
    command = ("grant", "a", "--signer", wallet.url, "--manifest", "m.jsonl")
    result = world.fails("signer-failed", *command, *TERMS)
    again = result.stderr.partition("repeat the command with ")[2].splitlines()[0].split()
    assert not (world.folder / "m.jsonl").exists()
    world.run(*command, *TERMS[:-2], *again)
    first, second = wallet.signer.asked
    assert first == second  # the owners who signed before need not sign again
    assert len(world.rows("m.jsonl")) == 1


def test_a_bare_signature_is_wrapped(world: World, wallet: Wallet) -> None:
    """A Safe of one owner gives 65 bytes, and one that approved on chain gives none."""
    who = ("--signer", wallet.url, "--yes", "--save")
    for at, bare in enumerate((b"\x05" * 65, b"", b"\x05" * 64)):
        wallet.signature = bare.hex().upper()
        world.run("revoke", f"via market-{at}.ai", *who, f"{at}.sayso")
        (saved,) = load_bundle(world.folder / f"{at}.sayso", NETWORK)
        assert saved.signature == wrap(WalletProof(bare))


@pytest.mark.parametrize("code", [None, "0x"])
def test_an_account_without_code_is_named(world: World, wallet: Wallet, code: str | None) -> None:
    wallet.signer.code = code
    wallet.signature = hex_text(b"\x05" * 65)
    result = world.fails("bad-signature", "revoke", "everything", "--signer", wallet.url, "--yes")
    assert "if the account is a contract, name an endpoint of its chain with --rpc URL" in result.stderr
    assert "made by another wallet" not in result.stderr


def test_an_endpoint_of_another_chain_says_nothing(world: World, wallet: Wallet) -> None:
    wallet.signer.chain_id = NETWORK.chain_id + 1
    wallet.signature = hex_text(b"\x05" * 65)
    world.fails("bad-signature", "revoke", "everything", "--signer", wallet.url, "--yes")


@pytest.mark.parametrize("signature", ["0x" + "05" * 65, "0x" + "05" * 200])
def test_a_contract_wallet_endorses_statements(world: World, wallet: Wallet, signature: str) -> None:
    wallet.signature = signature
    world.write("list.txt", b"0x" + b"11" * 32)
    asked = ("use", "--licenses", "list.txt", "--purpose", "train-ai", "--signer", wallet.url, "--yes")
    result = world.fails("bad-signature", *asked)
    assert "your account is a contract" in result.stderr
    assert "--endorse" in result.stderr


@pytest.mark.parametrize("name", list(forms(1, 1, 0, 1)))
def test_a_key_in_a_signer_may_write_its_signature_in_any_form(world: World, name: str) -> None:
    def sign(data: dict[str, Any]) -> str:
        made = OWNER.sign_message(encode_typed_data(full_message=data))
        return forms(made.r, made.s, made.v - 27, 1)[name].hex().upper()

    with serving_signer(Signer(OWNER.address, sign, NETWORK.chain_id, code=None)) as url:
        world.run("revoke", "everything", "--signer", url, "--yes", "--save", "s.sayso")
    (saved,) = load_bundle(Path("s.sayso"), NETWORK)
    assert len(saved.signature) == 65


def _der(made: Any) -> bytes:
    """A signature as signing services and smart cards write it (SEC 1, C.8)."""
    parts = [one.to_bytes(33).lstrip(b"\0").rjust(32, b"\0") for one in (made.r, made.s)]
    whole = b"".join(b"\x02" + bytes([len(one)]) + one for one in parts)
    return b"\x30" + bytes([len(whole)]) + whole


@pytest.mark.parametrize("how", ["DER", "plain message"])
def test_what_another_method_signed_is_named_before_it_is_saved(world: World, how: str) -> None:
    """Such a revocation looked signed, and no node would ever have taken it."""

    def sign(data: dict[str, Any]) -> str:
        signable = encode_typed_data(full_message=data)
        if how == "DER":
            return hex_text(_der(OWNER.sign_message(signable)))
        digest = keccak(b"\x19" + signable.version + signable.header + signable.body)
        return hex_text(bytes(OWNER.sign_message(encode_defunct(digest)).signature))

    for code in ("0x", "0x60016000"):  # also if the account were a contract, for the plain message
        if how == "DER" and code != "0x":
            continue
        with serving_signer(Signer(OWNER.address, sign, NETWORK.chain_id, code=code)) as url:
            who = ("--signer", url, "--yes", "--save", "s.sayso")
            result = world.fails("bad-signature", "revoke", "everything", *who)
        assert ("no contract there" if how == "DER" else "personal_sign") in result.stderr
        assert not Path("s.sayso").exists()


@pytest.mark.parametrize("answer", [None, 7, "0x0", "hello", "0x" + "00" * 8_193, ["0x00"]])
def test_what_is_no_signature(world: World, wallet: Wallet, answer: Any) -> None:
    wallet.signature = answer
    world.fails("signer-failed", "revoke", "everything", "--signer", wallet.url, "--yes")


def test_an_endpoint_alone_does_nothing_for_a_key(world: World) -> None:
    asked = ("revoke", "everything", "--key", world.key, "--rpc", "http://127.0.0.1:1", "--yes")
    assert "--on-chain" in world.run(*asked, status=2).stderr
