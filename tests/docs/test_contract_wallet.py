"""The how-to for contract wallets is run as it is written: a real Safe of three owners, and a node."""

import json
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account
from eth_account.messages import encode_typed_data
from web3 import HTTPProvider, Web3

from cli.conftest import PASSWORD
from cli.operator.test_real_node import DEADLINE_S, eventually, key, sayso, serving, typing_in
from docs import walkthrough
from docs.as_written import way
from docs.walkthrough import Step, missing
from sayso.contributor.saved_messages import load_bundle
from sayso.demo.ports import free_ports
from sayso.networks import load_network
from sayso_protocol.primitives import keccak
from support.anvil import CHAIN_ID, RICH_KEY, anvil
from support.safe import Safe, SafeCode
from support.wallet_signer import NotYet, Signer, serving_signer

PAGE = "docs/how-to/contract-wallet.md"
OWNERS = [Account.from_key(keccak(b"owner %d" % number)) for number in range(3)]


class Company:
    """A Safe of two of three owners; revocations wait for the second one once."""

    def __init__(self, rpc: str) -> None:
        self.safe: Safe = SafeCode(Web3(HTTPProvider(rpc))).safe(OWNERS, 2).deploy()
        self.waited: set[bytes] = set()
        self.signer = Signer(self.safe.address, self.sign, CHAIN_ID)

    def sign(self, data: dict[str, Any]) -> str:
        made = encode_typed_data(full_message=data)
        digest = keccak(b"\x19" + made.version + made.header + made.body)
        if data["primaryType"] == "Revocation" and digest not in self.waited:
            self.waited.add(digest)
            raise NotYet("1 of 2 signatures")
        return "0x" + self.safe.sign(digest, OWNERS[2], OWNERS[0]).hex()

    def send(self, calls: list[dict[str, str]]) -> None:
        for one in calls:
            self.safe.execute(one["to"], bytes.fromhex(one["data"][2:]))


class Place:
    """What the how-to begins with; `seen` is what each step wrote."""

    def __init__(self, stack: ExitStack, folder: Path) -> None:
        self.folder = folder
        self.rpc = stack.enter_context(anvil(hardfork="osaka"))
        self.company = Company(self.rpc)
        self.signer = stack.enter_context(serving_signer(self.company.signer))
        payer = key("payer.json", Account.from_key(RICH_KEY))
        deploy = ("--rpc", self.rpc, "--key", payer, "--finality", 0, "--write", "--yes")
        sayso("contract", "deploy", *deploy)
        http, peer = free_ports(2)
        options = ("--http", f"127.0.0.1:{http}", "--listen", f"/ip4/127.0.0.1/tcp/{peer}")
        sayso("node", "init", "a", "--name", "a", "--rpc", self.rpc, *options)
        sayso("network", "add", "--from-node", "a")
        stack.enter_context(serving("node", "run", "a"))
        self.url = f"http://127.0.0.1:{http}"
        ada = key("ada.json", Account.from_key(keccak(b"ada")))
        Path("ada.wav").write_bytes(b"ada")
        Path("voice.wav").write_bytes(b"voice")
        terms = ("--grantee", self.company.safe.address, "--purpose", "train-ai", "--expires", "1y")
        sayso("grant", "ada.wav", *terms, "--key", ada, "--manifest", "data.jsonl")
        self.seen = self._walk()

    def _walk(self) -> list[str]:
        """All steps, with the wallet's transactions before the last of them."""
        chosen = {"SIGNER": self.signer, "RPC": self.rpc, "SAFE": self.company.safe.address}
        environment = walkthrough.environment() | {"SAYSO_PASSWORD": PASSWORD} | chosen
        steps = way(PAGE)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(walkthrough, "environment", lambda: environment)
            [looking] = [at for at, one in enumerate(steps) if "sayso licenses" in one.command.text]
            seen = walkthrough.walk(steps[:looking], self.folder)
            eventually(lambda: self._is_shown(steps[looking]))  # once the node has asked the wallet
            seen += walkthrough.walk(steps[looking:-1], self.folder)
            self.company.send(json.loads(Path("calls.json").read_text()))
            newest = self.company.safe.code.w3.eth.block_number
            eventually(lambda: self._head() >= newest)
            return [*seen, *walkthrough.walk(steps[-1:], self.folder)]

    def _is_shown(self, step: Step) -> bool:
        [output] = walkthrough.walk([step], self.folder)
        return step.shown is not None and not missing(step.shown.text, output)

    def _head(self) -> int:
        with urllib.request.urlopen(f"{self.url}/v1/node", timeout=DEADLINE_S) as answer:
            return int(json.load(answer)["block"]["number"])


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("place")
    with typing_in(folder) as stack:
        yield Place(stack, folder)


pytestmark = pytest.mark.timeout(DEADLINE_S * 3)


def test_what_is_shown_is_what_is_seen(place: Place) -> None:
    assert len(place.seen) == len(way(PAGE)) >= 6
    for step, output in zip(way(PAGE), place.seen, strict=True):
        if step.shown:
            assert not missing(step.shown.text, output), f"line {step.shown.line}; seen:\n{output}"


def test_the_wallet_signed_what_was_saved(place: Place) -> None:
    network = load_network(place.folder / "network.toml").network
    (stop,) = load_bundle(place.folder / "stop.sayso", network)
    assert stop.message.signer == place.company.safe.bytes
    assert len(stop.signature) == 2 * 65
    kinds = [one["primaryType"] for one in place.company.signer.asked]
    assert kinds == ["Consent", "Revocation", "Revocation"]  # the first call for it had to wait
    (promise,) = [json.loads((place.folder / "kept.json").read_text())]
    assert promise["digest"] == "0x" + stop.digest.hex()


def test_an_endpoint_is_asked_before_a_signature_is_saved(place: Place) -> None:
    """One owner of two has signed; or the account has no code where the endpoint looks."""
    company = place.company
    asked = ("revoke", "via", "kled.ai", "--signer", place.signer, "--rpc", place.rpc, "--yes")
    sayso(*asked, "--save", "first.sayso", status=1)  # it has to wait
    sayso(*asked, "--save", "whole.sayso")
    assert Path("whole.sayso").exists()
    with pytest.MonkeyPatch.context() as patch:
        alone = "0x" + company.safe.sign(bytes(32), OWNERS[1]).hex()
        patch.setattr(company.signer, "sign", lambda _data: alone)
        result = sayso(*asked, "--save", "half.sayso", status=1)
        assert "error [refused-by-wallet]: the account is a contract" in result.stderr
        patch.setattr(company.signer, "address", Account.from_key(keccak(b"nobody")).address)
        result = sayso(*asked, "--save", "half.sayso", status=1)
        assert "error [bad-signature]: the key of 0x" in result.stderr
    assert not Path("half.sayso").exists()
