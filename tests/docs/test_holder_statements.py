"""The how-tos for holders are run as they are written, against a chain and a node."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from eth_account import Account

from cli.conftest import PASSWORD
from cli.operator.test_real_node import DEADLINE_S, key, sayso, serving, typing_in
from docs import walkthrough
from docs.as_written import way
from docs.walkthrough import missing
from sayso.contributor.saved_messages import load_bundle
from sayso.demo.ports import free_ports
from sayso.devchain import dev_account
from sayso.holder.hashes import load_messages
from sayso.networks import load_network
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.messages.statements.dispute import Dispute
from sayso_protocol.messages.statements.removal import Removal
from sayso_protocol.messages.statements.sublicense import Sublicense
from sayso_protocol.messages.statements.use import Use
from sayso_protocol.primitives import hex_text, keccak
from sayso_protocol.signatures.wallets import EoaVerifier

PAGE = "docs/how-to/holder-statements.md"
HEARING = "docs/how-to/hear-of-revocations.md"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """What the how-to begins with: a node, a company's key, and data of two people who allow resale."""
    folder = tmp_path_factory.mktemp("place")
    with typing_in(folder) as stack:
        rpc = stack.enter_context(serving("devchain", "--port", 0)).split()[3].rstrip(";")
        payer = key("payer.json", dev_account(0))
        sayso("contract", "deploy", "--rpc", rpc, "--key", payer, "--finality", 0, "--write", "--yes")
        http, peer = free_ports(2)
        options = ("--http", f"127.0.0.1:{http}", "--listen", f"/ip4/127.0.0.1/tcp/{peer}")
        sayso("node", "init", "a", "--name", "a", "--rpc", rpc, *options)
        sayso("network", "add", "--from-node", "a")
        stack.enter_context(serving("node", "run", "a"))
        company = Account.from_key(keccak(b"company"))
        key("company.json", company)
        rows = b""
        for name in ("ada", "ben"):
            Path(f"{name}.wav").write_bytes(name.encode())
            person = key(f"{name}.json", Account.from_key(keccak(name.encode())))
            terms = ("--grantee", company.address, "--purpose", "resale", "--purpose", "train-ai")
            more = ("--expires", "2y", "--key", person, "--manifest", f"{name}.jsonl")
            sayso("grant", f"{name}.wav", *terms, *more)
            rows += Path(f"{name}.jsonl").read_bytes()
        Path("data.jsonl").write_bytes(rows)
        Path("voice.wav").write_bytes(b"me")
        yield folder


@pytest.fixture(scope="module")
def seen(place: Path) -> list[str]:
    """What each step wrote; the commands would ask a person for the password."""
    return walked(PAGE, place)


@pytest.fixture(scope="module")
def heard(place: Path, seen: list[str]) -> list[str]:
    """The same of the page that follows, in the same folder."""
    return walked(HEARING, place)


def walked(page: str, place: Path) -> list[str]:
    environment = walkthrough.environment() | {"SAYSO_PASSWORD": PASSWORD}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(walkthrough, "environment", lambda: environment)
        return walkthrough.walk(way(page), place)


pytestmark = pytest.mark.timeout(DEADLINE_S * 3)


@pytest.mark.parametrize(("page", "least"), [(PAGE, 8), (HEARING, 4)])
def test_what_is_shown_is_what_is_seen(seen: list[str], heard: list[str], page: str, least: int) -> None:
    outputs = seen if page == PAGE else heard
    assert len(outputs) == len(way(page)) >= least
    for step, output in zip(way(page), outputs, strict=True):
        if step.shown:
            assert not missing(step.shown.text, output), f"line {step.shown.line}; seen:\n{output}"


def test_a_node_took_what_was_signed(place: Path, seen: list[str]) -> None:
    network = load_network(place / "network.toml").network
    kinds = {"sold": Sublicense, "used": Use, "removed": Removal, "dispute": Dispute}
    licenses = {json.loads(line)["license"] for line in (place / "data.jsonl").read_bytes().splitlines()}
    assert len(licenses) == 2
    for folder, kind in kinds.items():
        (envelope,) = load_messages(place / folder, network)
        assert isinstance(envelope.message, kind)
        envelope.check_signatures(EoaVerifier())
        if folder != "dispute":
            assert {*map(hex_text, envelope.items)} == licenses
    (unsigned,) = load_messages(place / "unsigned", network)
    (call,) = json.loads((place / "calls.json").read_text())
    assert (unsigned.signature, call["digest"]) == (b"", hex_text(unsigned.digest))
    (withdrawal,) = load_bundle(place / "withdrawal.sayso", network)
    assert isinstance(withdrawal.message, Revocation)
    (disputed,) = load_messages(place / "dispute", network)
    assert withdrawal.message.scopes == (f"statement {hex_text(disputed.digest)}",)
    assert "This is a sublicense" in "".join(seen)
