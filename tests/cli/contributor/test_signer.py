"""An external signer signs for the command: anvil holds accounts and speaks eth_signTypedData_v4."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from eth_account import Account
from eth_account.messages import encode_typed_data

from cli.operator.test_real_node import sayso
from sayso.contributor.licensing import sign_message
from sayso.contributor.saved_messages import load_bundle
from sayso.contributor.signers import external_signer
from sayso.errors import SignerFailed
from sayso_protocol.errors import BadSignature
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.network_file import NetworkFile
from sayso_protocol.primitives import address_from_text
from support.anvil import RICH_KEY, anvil
from support.protocol_strategies import NETWORK
from support.waiting import POLL_S
from support.wallet_signer import Signer, TypedData, serving_signer

RICH = Account.from_key(RICH_KEY).address


@pytest.fixture(scope="module")
def signer() -> Iterator[str]:
    with anvil() as url:
        yield url


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("SAYSO_NETWORK", "SAYSO_NODE", "SAYSO_KEY"):
        monkeypatch.delenv(name, raising=False)
    Path("network.toml").write_text(NetworkFile(NETWORK, 1, 0).to_toml())
    return tmp_path


def test_a_revocation_is_signed_elsewhere(signer: str, folder: Path) -> None:
    who = ("--signer", signer, "--account", RICH)
    sayso("revoke", "everything", *who, "--save", "stop.sayso", "--yes")
    (envelope,) = load_bundle(Path("stop.sayso"), NETWORK)
    assert envelope.message == Revocation(address_from_text(RICH), ("everything",))


def test_what_is_printed_is_what_is_signed(signer: str, folder: Path) -> None:
    who = ("--signer", signer, "--account", RICH)
    (shown,) = json.loads(sayso("revoke", "everything", *who, "--save", "s.sayso", "--print").stdout)
    assert not Path("s.sayso").exists()
    assert shown["typed_data"]["message"]["scopes"] == ["everything"]
    signable = encode_typed_data(full_message=shown["typed_data"])
    sayso("revoke", "everything", *who, "--save", "s.sayso", "--yes")
    (envelope,) = load_bundle(Path("s.sayso"), NETWORK)
    assert shown["digest"] == "0x" + envelope.digest.hex()
    assert Account.recover_message(signable, signature=envelope.signature) == RICH


def test_a_consent_is_printed_without_a_node(signer: str, folder: Path) -> None:
    Path("a.jpg").write_bytes(b"a")
    terms = ("--grantee", "anyone", "--purpose", "train-ai", "--expires", "90d", "--manifest", "m.jsonl")
    who = ("--signer", signer, "--account", RICH, "--node", "http://127.0.0.1:1")
    (shown,) = json.loads(sayso("grant", "a.jpg", *terms, *who, "--print").stdout)
    assert shown["typed_data"]["message"]["notice"].startswith("I allow use of 1 item of mine for")
    assert not Path("m.jsonl").exists()


def test_which_account_has_to_be_clear(signer: str) -> None:
    with pytest.raises(SignerFailed, match="name one with --account"):
        external_signer(signer)
    with pytest.raises(SignerFailed, match="does not hold"):
        external_signer(signer, b"\x01" * 20)
    with pytest.raises(SignerFailed, match="no answer"):
        external_signer("http://127.0.0.1:1")


def test_somebody_has_to_sign(folder: Path) -> None:
    assert "--key FILE or --signer URL" in sayso("revoke", "everything", status=2).stderr


def test_an_answer_that_comes_in_pieces_is_read_whole() -> None:
    """One read gives what has arrived; an answer of more than a buffer never arrives at once."""
    who = Account.create()

    def sign(data: TypedData) -> str:
        return "0x" + bytes(who.sign_typed_data(full_message=data).signature).hex()

    with serving_signer(Signer(who.address, sign, 1, after=b" " * 900_000)) as url:
        signer = external_signer(url)
        sign_message(signer, Revocation(address_from_text(who.address), ("everything",)), NETWORK)
    with (
        serving_signer(Signer(who.address, sign, 1, after=b" " * 2_000_000)) as url,
        pytest.raises(SignerFailed, match="too long"),
    ):
        external_signer(url)


@pytest.fixture
def impostor() -> Iterator[str]:
    """A signer that says it holds an account, and signs with the key of another."""
    other = Account.create()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked: dict[str, Any] = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            result: Any = [RICH]
            if asked["method"] != "eth_accounts":
                signed = other.sign_typed_data(full_message=asked["params"][1])
                result = "0x" + bytes(signed.signature).hex()
            body = json.dumps({"jsonrpc": "2.0", "id": 1, "result": result}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, args=(POLL_S,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_another_ones_signature_is_not_taken(impostor: str) -> None:
    signer = external_signer(impostor)
    with pytest.raises(BadSignature):
        sign_message(signer, Revocation(address_from_text(RICH), ("everything",)), NETWORK)
