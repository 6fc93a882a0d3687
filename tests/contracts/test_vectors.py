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
NOTICE = (
    "I take back what is listed here, now and for ever, wherever my signature counts. "
    "This cannot be undone."
)
REGISTRY = "0x5A7500000000000000000000000000000000C0De"  # where contracts/test/Outside.t.sol has it
FULL = 2**256 - 1
TYPES = {
    "EIP712Domain": [
        {"name": "name", "type": "string"},
        {"name": "version", "type": "string"},
        {"name": "chainId", "type": "uint256"},
        {"name": "verifyingContract", "type": "address"},
    ],
    "Revocation": [
        {"name": "notice", "type": "string"},
        {"name": "contributor", "type": "address"},
        {"name": "scopes", "type": "string[]"},
        {"name": "words", "type": "uint248[]"},
        {"name": "masks", "type": "uint256[]"},
    ],
}


def sign(
    registry: str, name: str, chain_id: int, scopes: list[str], words: list[int], masks: list[int]
) -> dict[str, Any]:
    """One revocation by the account whose key is the hash of `name`, under a chain id."""
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
            "domain": {
                "name": "Sayso",
                "version": "1",
                "chainId": chain_id,
                "verifyingContract": registry,
            },
            "message": message,
        }
    )
    return {
        "name": name,
        "contributor": account.address,
        "chainId": chain_id,
        "scopes": scopes,
        "words": [hex(word) for word in words],
        "masks": [hex(mask) for mask in masks],
        "digest": "0x" + _hash_eip191_message(signable).hex(),
        "signature": "0x" + account.sign_message(signable).signature.hex(),
    }


def vectors(registry: str = REGISTRY) -> list[dict[str, Any]]:
    """From nothing to the largest revocation that one signature may carry."""
    cases: list[tuple[str, int, list[str], list[int], list[int]]] = [
        ("nothing at all", 31_337, [], [], []),
        ("one permission", 1, [], [2**247 - 1], [1 << 255]),
        ("everything", 8_453, ["everything"], [], []),
        ("scopes and words", 31_337, ["via kled.ai", "everything for train-ai"], [0, 64], [FULL, 5]),
        ("the limit", 2**53 - 1, [f"via s{i}.example" for i in range(16)], [*range(64)], [FULL] * 64),
    ]
    return [sign(registry, *case) for case in cases]


def render() -> str:
    """The text of the file."""
    return json.dumps(vectors(), indent=1) + "\n"


def test_vectors_are_what_eth_account_signs() -> None:
    assert FILE.read_text() == render()


if __name__ == "__main__":
    FILE.write_text(render())
