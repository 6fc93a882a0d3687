"""Wallets of a key: what the libraries that npm carries make of all messages."""

import json
import subprocess
from typing import Any, Final

from eth_account import Account
from eth_account.messages import encode_typed_data

from interop.signers import trezor
from interop.signers.asked import MESSAGES, asked
from interop.signers.devices import characters, screens
from sayso_protocol.messages.typed_data import digest
from sayso_protocol.network import Network
from sayso_protocol.primitives import address_from_text, hex_text, keccak
from sayso_protocol.signatures.wallet_forms import by_key, read_signature
from sayso_protocol.signatures.wallets import Claim
from support.anvil import REPOSITORY

FOLDER: Final = REPOSITORY / "tests/interop"
KEY: Final = hex_text(keccak(b"wallet of all libraries"))
NETWORK: Final = Network(31_337, bytes.fromhex("5a7500000000000000000000000000000000c0de"))
OTHER_CHAIN: Final = 1
TREZOR: Final = "trezorlib"
LIBRARIES: Final = ("eth-sig-util V4", "ethers", "viem", TREZOR)
Found = dict[str, Any]


def signed_by_libraries() -> dict[str, Found]:
    """What each library made of each message."""
    assert (FOLDER / "node_modules/ethers").is_dir(), "run `make interop`, which installs what it needs"
    question = {"key": KEY, "other_chain": OTHER_CHAIN, "messages": asked(NETWORK)}
    done = subprocess.run(
        ("node", "signers/keys.mjs"),
        cwd=FOLDER,
        input=json.dumps(question),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Found] = json.loads(done.stdout)
    return found


def _same(made: Found, name: str) -> list[str]:
    """The libraries whose signature is that of eth-account; it raises for another digest."""
    message, data = MESSAGES[name], asked(NETWORK)[name]
    assert made["digest"] == made["trezor model one"] == hex_text(digest(message, NETWORK))
    ours = Account.from_key(KEY).sign_message(encode_typed_data(full_message=data)).signature
    signer = address_from_text(Account.from_key(KEY).address)
    for form, text in made["forms"].items():
        claim = Claim(signer, digest(message, NETWORK), read_signature(text))
        assert by_key(claim) == bytes(ours), form
    return [one for one in LIBRARIES if made[one] == {"result": hex_text(bytes(ours))}]


def keys() -> dict[str, Found]:
    """A row of the page for each message."""
    rows = {}
    for name, made in signed_by_libraries().items():
        data = asked(NETWORK)[name]
        device = trezor.sign(Account.from_key(KEY), asked(NETWORK)[name])
        made[TREZOR] = {"result": hex_text(device.signature)}
        rows[name] = {
            "same": _same(made, name),
            "eth-sig-util V3": made["eth-sig-util V3"].get("error", "signs"),
            "metamask": made["metamask"].get("error", "accepted"),
            "metamask on another chain": made["metamask on another chain"].get("error", "accepted"),
            "characters": characters(data),
            "screens": screens(data),
            "trezor values": device.values,
            "trezor round trips": device.round_trips,
            "ledger apdus": made["ledger apdus"].get("result"),
        }
    return rows
