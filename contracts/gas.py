"""Measures what the registry costs, beside the Ethereum Attestation Service, in one run of anvil.

`python contracts/gas.py` writes gas.json and docs/reference/gas.md and prints the table. Every figure
is `gasUsed` of transactions that were mined; random-looking words, each used for the first time.
"""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from eth_account import Account
from eth_account.signers.local import LocalAccount
from web3 import AsyncHTTPProvider, AsyncWeb3, HTTPProvider, Web3
from web3.contract import Contract

from eas import NOBODY, Revoker, artifacts
from sayso_contracts.deploy import deploy
from sayso_contracts.registry.calls import Call, Calls, SignedRevocation
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.messages.typed_data import digest
from sayso_protocol.network import Network
from sayso_protocol.primitives import address_from_text, keccak

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parent
sys.path.insert(0, str(REPOSITORY / "tests"))

from support.anvil import CHAIN_ID, RICH_KEY, anvil  # noqa: E402 (tests/ is no part of the package)

FULL = 2**256 - 1
MANY = 50  # signers of one relay
BATCH = 10_000  # licenses under one anchored root
WHAT = {
    "revoke_one": "one permission, by its owner | revokeOffchain",
    "revoke_256_word": "256 permissions of one word, each | multiRevokeOffchain of 256",
    "revoke_2560": "2,560 permissions of ten words, each | multiRevokeOffchain of 512",
    "revoke_scope": "everything, by its owner | revokeOffchain (of one)",
    "gasless_one": "one permission, by signature, in a fresh word | revokeByDelegation, a later nonce",
    "gasless_scope": "everything, by signature | revokeByDelegation (of one), a later nonce",
    "relay_50": "50 signers, one permission each, fresh words | multiRevokeByDelegation, first nonces",
    "relay_50_used": "the same again, in used words | multiRevokeByDelegation, later nonces",
    "anchor_one": "the date of a root | timestamp",
    "anchor_10000_each": "the date of a license, 10,000 under one root | timestamp of such a root",
    "deploy": "the contract itself | EAS without its schema registry",
}
TARGETS = {  # ours / theirs, at most
    "revoke_one": 1.01,
    "revoke_scope": 1.05,
    "revoke_256_word": 1 / 130,
    "revoke_2560": 1 / 220,
    "gasless_one": 0.80,
    "relay_50": 0.60,
    "relay_50_used": 0.35,
}


class Meter:
    """Sends transactions of one account and says what they used."""

    def __init__(self, url: str) -> None:
        self.w3 = Web3(HTTPProvider(url))
        self.account: LocalAccount = Account.from_key(RICH_KEY)

    def send(self, call: Call) -> int:
        """Gas that a call used; it must succeed."""
        question: Any = {"to": call.to, "data": call.data, "from": self.account.address}
        receipt = self.w3.eth.wait_for_transaction_receipt(self.w3.eth.send_transaction(question))
        if receipt["status"] != 1:
            raise RuntimeError("a measured transaction was reverted")
        return receipt["gasUsed"]

    def call(self, contract: Contract, function: str, *arguments: Any) -> int:
        """Gas that a call of another contract used."""
        data = contract.encode_abi(function, list(arguments))
        return self.send(Call(contract.address, bytes.fromhex(data[2:])))

    def create(self, artifact: Any, *arguments: Any) -> tuple[Contract, int]:
        """A new contract, and the gas that creating it used."""
        factory = self.w3.eth.contract(abi=artifact["abi"], bytecode=artifact["bytecode"])
        tx_hash = factory.constructor(*arguments).transact({"from": self.account.address})
        receipt = self.w3.eth.wait_for_transaction_receipt(tx_hash)
        abi, address = artifact["abi"], receipt["contractAddress"]
        contract: Any = self.w3.eth.contract(address=address, abi=abi)
        return contract, receipt["gasUsed"]


def _word(number: int) -> int:
    return int.from_bytes(keccak(b"word %d" % number)[1:]) >> 1


def _hashes(first: int, count: int) -> list[bytes]:
    return [keccak(b"item %d" % number) for number in range(first, first + count)]


def _signed(calls: Calls, key: bytes, **what: Any) -> SignedRevocation:
    contributor: LocalAccount = Account.from_key(key)
    revocation = Revocation(contributor=address_from_text(contributor.address), **what)
    hashed: Any = digest(revocation, Network(CHAIN_ID, address_from_text(calls.address)))
    return SignedRevocation(revocation, CHAIN_ID, contributor.unsafe_sign_hash(hashed).signature)


def _relayed(calls: Calls, bit: int) -> Call:
    """One permission of each of many signers; with another bit, the same words again."""
    signed = (
        _signed(calls, keccak(b"signer %d" % number), words=(_word(100 + number),), masks=(1 << bit,))
        for number in range(MANY)
    )
    return calls.relay(signed)


def measure_sayso(meter: Meter, address: str) -> dict[str, float]:
    """Our figures, except for the deployment."""
    calls = Calls(address)
    ten = [_word(number) for number in range(10, 20)]
    everything = ("everything",)
    one = {"words": (_word(30),), "masks": (1 << 77,)}
    anchored = meter.send(calls.anchor(keccak(b"root")))
    return {
        "revoke_one": meter.send(calls.revoke(_word(1), 1 << 77)),
        "revoke_256_word": meter.send(calls.revoke(_word(2), FULL)) / 256,
        "revoke_2560": meter.send(calls.revoke_many(ten, [FULL] * 10)) / 2_560,
        "revoke_scope": meter.send(calls.revoke_scopes(everything)),
        "gasless_one": meter.send(calls.revoke_by_sig(_signed(calls, keccak(b"one"), **one))),
        "gasless_scope": meter.send(
            calls.revoke_by_sig(_signed(calls, keccak(b"two"), scopes=everything))
        ),
        "relay_50": meter.send(_relayed(calls, 77)) / MANY,
        "relay_50_used": meter.send(_relayed(calls, 78)) / MANY,
        "anchor_one": anchored,
        "anchor_10000_each": anchored / BATCH,
    }


def measure_eas(meter: Meter) -> dict[str, float]:
    """What the same costs there, as far as it can be done."""
    compiled = artifacts()
    schemas, _ = meter.create(compiled["SchemaRegistry"])
    eas, deployment = meter.create(compiled["EAS"], schemas.address)
    of_one = meter.call(eas, "revokeOffchain", *_hashes(0, 1))
    stamped = meter.call(eas, "timestamp", keccak(b"root"))
    parts = (meter.call(eas, "multiRevokeOffchain", _hashes(2_000 + 512 * at, 512)) for at in range(5))
    return {
        "revoke_one": of_one,
        "revoke_scope": of_one,
        "revoke_256_word": meter.call(eas, "multiRevokeOffchain", _hashes(1_000, 256)) / 256,
        "revoke_2560": sum(parts) / 2_560,
        **_delegated(meter, schemas, eas),
        "anchor_one": stamped,
        "anchor_10000_each": stamped / BATCH,
        "deploy": deployment,
    }


def _delegated(meter: Meter, schemas: Contract, eas: Contract) -> dict[str, float]:
    """Delegated revocations; the attestations that each of them needs first are not counted."""
    meter.call(schemas, "register", "bytes32 license", NOBODY, True)  # noqa: FBT003 (the ABI's)
    registered = ["string", "address", "bool"]
    schema = meter.w3.solidity_keccak(registered, ["bytes32 license", NOBODY, True])
    people = [_revoker(meter, eas, schema, number) for number in range(MANY)]

    def together() -> float:
        arguments = [one.of_many(one.attest()) for one in people]
        return meter.call(eas, "multiRevokeByDelegation", arguments) / MANY

    first, later = together(), together()
    alone = meter.call(eas, "revokeByDelegation", people[0].one(people[0].attest()))
    return {
        "gasless_one": alone,
        "gasless_scope": alone,
        "relay_50": first,
        "relay_50_used": later,
    }


def _revoker(meter: Meter, eas: Contract, schema: bytes, number: int) -> Revoker:
    account: LocalAccount = Account.from_key(keccak(b"revoker %d" % number))
    gift: Any = {"from": meter.account.address, "to": account.address, "value": 10**18}
    meter.w3.eth.wait_for_transaction_receipt(meter.w3.eth.send_transaction(gift))
    return Revoker(meter.w3, eas, schema, account)


async def _deployment(url: str, account: LocalAccount) -> tuple[str, int]:
    w3 = AsyncWeb3(AsyncHTTPProvider(url))
    try:
        done = await deploy(w3, account, expected_chain_id=CHAIN_ID)
        receipt = await w3.eth.get_transaction_receipt(done.tx_hash)  # type: ignore[arg-type]
        return done.address, receipt["gasUsed"]
    finally:
        await w3.provider.disconnect()


def measure() -> list[dict[str, Any]]:
    """All figures: operation, ours, theirs or None."""
    with anvil() as url:
        meter = Meter(url)
        address, deployment = asyncio.run(_deployment(url, meter.account))
        ours = {**measure_sayso(meter, address), "deploy": deployment}
        theirs = measure_eas(meter)
    return [{"op": op, "sayso": ours[op], "eas": theirs.get(op)} for op in WHAT]


def table(rows: list[dict[str, Any]]) -> str:
    """The figures as a Markdown table."""
    lines = [
        "| operation | what | Sayso | EAS | ratio | target | there it is |",
        "|---|---|--:|--:|--:|--:|---|",
    ]
    for row in rows:
        what, there = WHAT[row["op"]].split(" | ")
        lines.append(
            f"| `{row['op']}` | {what} | {_number(row['sayso'])} | {_number(row['eas'])}"
            f" | {_ratio(row['sayso'] / row['eas'])} | {_target(row['op'])} | {there} |"
        )
    return "\n".join(lines) + "\n"


def _number(gas: float) -> str:
    return f"{gas:,.0f}" if gas >= 1_000 else f"{gas:.1f}"


def _ratio(ratio: float) -> str:
    return f"{ratio:.3f}" if ratio > 0.1 else f"1/{1 / ratio:.0f}"


def _target(operation: str) -> str:
    target = TARGETS.get(operation)
    return f"at most {_ratio(target)}" if target else ""


def missed(rows: list[dict[str, Any]]) -> list[str]:
    """The operations that cost more than they should."""
    ratios = {row["op"]: row["sayso"] / row["eas"] for row in rows}
    return [op for op, target in TARGETS.items() if ratios[op] > target]


def main() -> int:
    """Measure, write and print; 1 when a target is missed."""
    rows = measure()
    (REPOSITORY / "gas.json").write_text(json.dumps(rows, indent=1) + "\n")
    page = (HERE / "gas_page.txt").read_text().format(table=table(rows))
    (REPOSITORY / "docs" / "reference" / "gas.md").write_text(page)
    sys.stdout.write(table(rows))
    for op in missed(rows):
        sys.stderr.write(f"{op} costs more than its target\n")
    return bool(missed(rows))


if __name__ == "__main__":
    sys.exit(main())
