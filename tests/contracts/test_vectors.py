"""Revocations signed by eth-account, which shares no code with the contract or with our Python.

The Solidity tests read contracts/test/vectors.json; this test holds the file to what eth-account makes.
Renew the file with `python tests/contracts/test_vectors.py`.
"""

import json
from pathlib import Path
from typing import Any

from eth_account import Account
from eth_account.messages import _hash_eip191_message, encode_typed_data
from eth_hash.auto import keccak

FILE = Path(__file__).parents[2] / "contracts" / "test" / "vectors.json"
NOTICE = "I take back my permission, now and for ever, on every network. This cannot be undone."
FULL = 2**256 - 1
TYPES = {
    "EIP712Domain": [{"name": "name", "type": "string"}, {"name": "version", "type": "string"}],
    "Revocation": [
        {"name": "notice", "type": "string"},
        {"name": "contributor", "type": "address"},
        {"name": "scopes", "type": "string[]"},
        {"name": "words", "type": "uint248[]"},
        {"name": "masks", "type": "uint256[]"},
    ],
}


def sign(name: str, scopes: list[str], words: list[int], masks: list[int]) -> dict[str, Any]:
    """One revocation by the account whose key is the hash of `name`."""
    account = Account.from_key(keccak(name.encode()))
    message = {
        "notice": NOTICE,
        "contributor": account.address,
        "scopes": scopes,
        "words": words,
        "masks": masks,
    }
    signable = encode_typed_data(
        full_message={
            "types": TYPES,
            "primaryType": "Revocation",
            "domain": {"name": "Sayso", "version": "1"},
            "message": message,
        }
    )
    return {
        "name": name,
        "contributor": account.address,
        "scopes": scopes,
        "words": [hex(word) for word in words],
        "masks": [hex(mask) for mask in masks],
        "digest": "0x" + _hash_eip191_message(signable).hex(),
        "signature": "0x" + account.sign_message(signable).signature.hex(),
    }


def vectors() -> list[dict[str, Any]]:
    """From nothing to the largest revocation that one signature may carry."""
    return [
        sign("nothing at all", [], [], []),
        sign("one permission", [], [2**247 - 1], [1 << 255]),
        sign("everything", ["everything"], [], []),
        sign("scopes and words", ["via kled.ai", "everything for train-ai"], [0, 64], [FULL, 5]),
        sign("the limit", [f"via s{i}.example" for i in range(16)], [*range(64)], [FULL] * 64),
    ]


def render() -> str:
    """The text of the file."""
    return json.dumps(vectors(), indent=1) + "\n"


def test_vectors_are_what_eth_account_signs() -> None:
    assert FILE.read_text() == render()


if __name__ == "__main__":
    FILE.write_text(render())
