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

from eas import NOBODY, artifacts, delegated_revocation
from sayso_contracts.calls import Call, Calls
from sayso_contracts.deploy import deploy
from sayso_protocol.messages import Revocation
from sayso_protocol.primitives import address_from_text, keccak
from sayso_protocol.typed_data import Network, digest

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY / "tests"))

from support.anvil import CHAIN_ID, RICH_KEY, anvil  # noqa: E402 (tests/ is no part of the package)

FULL = 2**256 - 1
WHAT = {
    "revoke_one": "one permission, by its owner | revokeOffchain",
    "revoke_256_word": "256 permissions of one word | multiRevokeOffchain",
    "revoke_2560": "2,560 permissions of ten words | multiRevokeOffchain, in five transactions",
    "revoke_scope": "everything, by its owner | -",
    "gasless_one": "one permission, by signature | revokeByDelegation, first of its revoker",
    "gasless_scope": "everything, by signature | -",
    "anchor_one": "the date of a root | timestamp",
    "deploy": "the contract itself | EAS without its schema registry",
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


def _by_signature(calls: Calls, key: bytes, **what: Any) -> Call:
    contributor: LocalAccount = Account.from_key(key)
    revocation = Revocation(contributor=address_from_text(contributor.address), **what)
    hashed: Any = digest(revocation, Network(CHAIN_ID, address_from_text(calls.address)))
    return calls.revoke_by_sig(revocation, contributor.unsafe_sign_hash(hashed).signature)


def measure_sayso(meter: Meter, address: str) -> dict[str, int]:
    """Our figures, except for the deployment."""
    calls = Calls(address)
    ten = [_word(number) for number in range(10, 20)]
    everything = ("everything",)
    one = {"words": (_word(30),), "masks": (1 << 77,)}
    return {
        "revoke_one": meter.send(calls.revoke(_word(1), 1 << 77)),
        "revoke_256_word": meter.send(calls.revoke(_word(2), FULL)),
        "revoke_2560": meter.send(calls.revoke_many(ten, [FULL] * 10)),
        "revoke_scope": meter.send(calls.revoke_scopes(everything)),
        "gasless_one": meter.send(_by_signature(calls, keccak(b"one"), **one)),
        "gasless_scope": meter.send(_by_signature(calls, keccak(b"two"), scopes=everything)),
        "anchor_one": meter.send(calls.anchor(keccak(b"root"))),
    }


def measure_eas(meter: Meter) -> dict[str, int]:
    """What the same costs there, as far as it can be done."""
    compiled = artifacts()
    schemas, _ = meter.create(compiled["SchemaRegistry"])
    eas, deployment = meter.create(compiled["EAS"], schemas.address)
    return {
        "revoke_one": meter.call(eas, "revokeOffchain", *_hashes(0, 1)),
        "revoke_256_word": meter.call(eas, "multiRevokeOffchain", _hashes(1_000, 256)),
        "revoke_2560": sum(
            meter.call(eas, "multiRevokeOffchain", _hashes(2_000 + 512 * part, 512)) for part in range(5)
        ),
        "gasless_one": _delegated(meter, schemas, eas),
        "anchor_one": meter.call(eas, "timestamp", keccak(b"root")),
        "deploy": deployment,
    }


def _delegated(meter: Meter, schemas: Contract, eas: Contract) -> int:
    """Gas of a delegated revocation; the attestation it needs first is not counted."""
    revoker: LocalAccount = Account.from_key(keccak(b"revoker"))
    gift: Any = {"from": meter.account.address, "to": revoker.address, "value": 10**18}
    meter.w3.eth.send_transaction(gift)
    meter.call(schemas, "register", "bytes32 license", NOBODY, True)  # noqa: FBT003 (the ABI's)
    registered = ["string", "address", "bool"]
    schema = meter.w3.solidity_keccak(registered, ["bytes32 license", NOBODY, True])
    request = (schema, (NOBODY, 0, True, bytes(32), keccak(b"license"), 0))
    attest = eas.functions.attest(request)
    fields: Any = {"from": revoker.address, "nonce": 0}
    transaction: Any = attest.build_transaction(fields)
    signed = revoker.sign_transaction(transaction)
    sent = meter.w3.eth.send_raw_transaction(signed.raw_transaction)
    attested = eas.events.Attested().process_receipt(meter.w3.eth.wait_for_transaction_receipt(sent))
    uid = attested[0]["args"]["uid"]
    argument = delegated_revocation(meter.w3, eas, schema, uid, revoker)
    return meter.call(eas, "revokeByDelegation", argument)


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
    lines = ["| operation | what | Sayso | EAS | there it is |", "|---|---|--:|--:|---|"]
    for row in rows:
        what, there = WHAT[row["op"]].split(" | ")
        theirs = f"{row['eas']:,}" if row["eas"] else "-"
        lines.append(f"| `{row['op']}` | {what} | {row['sayso']:,} | {theirs} | {there} |")
    return "\n".join(lines) + "\n"


PAGE = """# What the registry costs

Gas of one transaction, measured by `make gas` on anvil under Prague rules; EAS is the Ethereum
Attestation Service 1.4.0 as its npm package 1.9.0 ships it. Each word is used for the first time: the
second revocation in a word costs 17,100 less (EIP-2200). A delegated revocation of EAS also needs an
attestation on chain beforehand, which is not counted.

{table}
Revocations by gossip cost nothing; the contract makes them provable. One permission costs what a
storage slot costs, here as there: large factors come from the 256 permissions that share a slot, and
from scopes.
"""


def main() -> None:
    """Measure, write and print."""
    rows = measure()
    (REPOSITORY / "gas.json").write_text(json.dumps(rows, indent=1) + "\n")
    page = PAGE.format(table=table(rows))
    (REPOSITORY / "docs" / "reference" / "gas.md").write_text(page)
    sys.stdout.write(table(rows))


if __name__ == "__main__":
    main()
