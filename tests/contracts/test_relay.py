"""Relays of many signers: never dearer than their bound, and every rejection is read back."""

from typing import Any

import pytest
from eth_account import Account
from web3.types import TxReceipt

from contracts.harness import Chain
from sayso_contracts.errors import BadLog, TransactionTooLarge
from sayso_contracts.registry.client import Registry
from sayso_contracts.registry.create2 import registry_address
from sayso_contracts.relay import (
    REJECTED_TOPIC,
    Rejection,
    RelayItem,
    rejections,
    relay_call,
    relay_item,
)
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.messages.typed_data import digest
from sayso_protocol.network import Network
from sayso_protocol.primitives import address_from_text, address_text, hex_text, keccak
from sayso_protocol.signatures.contract_wallets import WalletProof, wrap
from support.relaying import gas_bound
from support.waiting import DEADLINE_S

CHAINS = (1, 8_453, 31_337)  # under whose ids they are signed, in turn
REGISTRY = address_from_text(registry_address())
FULL = 2**256 - 1
WALLET = b"\x12" * 20
BURNER = bytes.fromhex("5b5f56")  # jumps in place until its gas is gone


def by(name: str, registry: bytes = REGISTRY, **what: Any) -> RelayItem:
    account = Account.from_key(keccak(name.encode()))
    revocation = Revocation(address_from_text(account.address), **what)
    chain_id = CHAINS[sum(name.encode()) % len(CHAINS)]
    hashed: Any = digest(revocation, Network(chain_id, registry))
    return relay_item(revocation, chain_id, bytes(account.unsafe_sign_hash(hashed).signature))


def of_wallet(signature: bytes = b"w" * 8_192) -> RelayItem:
    return relay_item(Revocation(WALLET, ("everything",)), 1, signature)


async def relay(registry: Registry, chain: Chain, items: list[RelayItem]) -> TxReceipt:
    """Send a relay with exactly its bound."""
    call = relay_call(registry.address, items)
    signed = await registry.sign(call, chain.account, gas=gas_bound(items))
    await registry.wait(await registry.submit(signed.raw), DEADLINE_S)
    return await chain.w3.eth.get_transaction_receipt(signed.hash)  # type: ignore[arg-type]


def words(count: int) -> dict[str, Any]:
    first = int.from_bytes(keccak(b"%d" % count)[1:]) >> 1
    return {"words": tuple(range(first, first + count)), "masks": (FULL,) * count}


SIXTEEN = tuple(f"via {'x' * 80}{number}.example" for number in range(16))
RELAYS = {
    "one": [by("a", **words(1))],
    "many of one word": [by(f"b{number}", **words(1)) for number in range(50)],
    "the largest": [by(f"c{number}", scopes=SIXTEEN, **words(64)) for number in range(4)],
    "scopes": [by(f"d{number}", scopes=("everything",)) for number in range(20)],
    "nothing": [],
}


@pytest.mark.parametrize("name", RELAYS)
async def test_a_relay_never_costs_more_than_its_bound(
    registry: Registry, chain: Chain, name: str
) -> None:
    items = RELAYS[name]
    receipt = await relay(registry, chain, items)
    assert rejections(receipt["logs"], registry.address) == []
    assert receipt["gasUsed"] <= gas_bound(items)
    for item in items:
        bits = await registry.revoked_words(item.revocation.contributor, list(item.revocation.bits))
        assert bits == tuple(item.revocation.bits.values())
    if len(items) > 1:
        assert gas_bound(items) < 1.5 * receipt["gasUsed"]


async def test_wallets_that_burn_all_they_get_cannot_exceed_the_bound(
    anvil_chain: Chain, request: pytest.FixtureRequest
) -> None:
    from sayso_contracts.deploy import deploy

    chain = anvil_chain
    done = await deploy(chain.w3, chain.account, expected_chain_id=chain.chain_id)
    registry = Registry(chain.w3, done.address, chain.chain_id)
    method: Any = "anvil_setCode"
    await chain.w3.manager.coro_request(method, [address_text(WALLET), hex_text(BURNER)])
    items = [of_wallet() for _ in range(5)] + [by("f", **words(1))]
    receipt = await relay(registry, chain, items)
    assert receipt["gasUsed"] <= gas_bound(items)
    refused = rejections(receipt["logs"], registry.address)
    assert [one.index for one in refused] == [0, 1, 2, 3, 4]
    assert {one.reason for one in refused} == {f"WalletRanOut(contributor={hex_text(WALLET)})"}


async def test_each_rejection_is_read_back(registry: Registry, chain: Chain) -> None:
    good, wrong = by("g", **words(1)), by("h", **words(1))
    forged = RelayItem(wrong.revocation, wrong.chain_id, good.signature, asks_wallet=False)
    receipt = await relay(registry, chain, [forged, good])
    contributor = wrong.revocation.contributor
    assert rejections(receipt["logs"], registry.address) == [
        Rejection(0, contributor, f"InvalidSignature(contributor={address_text(contributor).lower()})")
    ]
    (word,) = good.revocation.words
    assert await registry.revoked_words(good.revocation.contributor, [word]) == (FULL,)
    assert await registry.revoked_words(contributor, list(wrong.revocation.words)) == (0,)


def test_a_wallet_that_does_not_exist_yet_is_deployed_first() -> None:
    item = of_wallet(wrap(WalletProof(b"own", b"\x34" * 20, b"create")))
    assert item.signature == b"own"
    assert item.asks_wallet
    assert item.deployment is not None
    assert (item.deployment.to, item.deployment.data) == (address_text(b"\x34" * 20), b"create")
    assert of_wallet(wrap(WalletProof(b"own"))).deployment is None
    assert of_wallet().deployment is None


async def test_more_gas_than_a_transaction_may_have_is_not_sent(
    registry: Registry, chain: Chain
) -> None:
    with pytest.raises(TransactionTooLarge):
        await registry.sign(relay_call(registry.address, []), chain.account, gas=16_777_217)


@pytest.mark.parametrize("data", ["0x", "0x" + "00" * 64, "0x" + "ff" * 96])
def test_a_log_that_the_contract_cannot_have_written_is_refused(data: str) -> None:
    registry = "0x" + "aa" * 20
    log = {"address": registry, "topics": [hex_text(REJECTED_TOPIC), "0x" + "00" * 32], "data": data}
    with pytest.raises(BadLog):
        rejections([log], registry)
    assert rejections([{**log, "address": "0x" + "ab" * 20}, {**log, "topics": []}], registry) == []
