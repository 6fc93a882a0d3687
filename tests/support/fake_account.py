"""An account of a fake chain: a pool, nonces, prices, money, and the registry's anchor and relay.

account = FakeAccount(chain)
account.base_fee = 10**12  # a fee spike: what offers less stays in the pool
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgpack
from eth_abi.abi import decode, encode

from sayso_contracts.errors import CallReverted, TransactionTooLarge
from sayso_contracts.registry.abi import encode_call
from sayso_contracts.registry.artifact import wallet_deployer_code
from sayso_contracts.registry.calls import SignedRevocation
from sayso_contracts.registry.events import Event, Revoked
from sayso_contracts.relay import REJECTED_TOPIC
from sayso_contracts.transactions import Fees, SignedTransaction
from sayso_node.chain.interface import Landed
from sayso_node.errors import ChainUnreachable
from sayso_node.freshness import ChainHead
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.permissions.words import Masks
from sayso_protocol.primitives import address_from_text, hex_text, keccak
from sayso_protocol.receipts.receipt import ChainPoint
from support.fake_chain import FakeChain, anchored, revoked
from support.protocol_strategies import NETWORK

GWEI = 10**9
ITEMS = "(address,uint256,string[],uint256[],uint256[],bytes)[]"
DEPLOYMENT_GAS = 400_000  # of a small wallet
ANCHOR, RELAY = encode_call("anchor", bytes(32))[:4], encode_call("relay", [])[:4]


@dataclass
class Sent:
    """A transaction as the chain knows it."""

    nonce: int
    gas: int
    fees: Fees
    data: bytes
    creates: bool
    block: int | None = None
    ok: bool = True
    logs: tuple[dict[str, Any], ...] = ()


class FakeAccount:
    """See sayso_node.chain.interface.Account."""

    def __init__(self, chain: FakeChain) -> None:
        self.chain = chain
        self.base_fee = GWEI
        self.money = 10**20
        self.sent: dict[bytes, Sent] = {}
        self.broadcasts: list[bytes] = []
        self.signatures = 0
        self.foreign: dict[int, int] = {}  # nonce used by somebody else: block
        self.forgets = False  # a reorganisation loses transactions, as on anvil
        self.most_gas = 16_777_216
        self.wei_a_byte = 0  # of data that is published on another chain
        self.rejects: set[bytes] = set()  # contributors
        self.reverts = False
        self.undeployed: set[bytes] = set()  # wallets
        self.deployed: dict[bytes, int] = {}  # by a transaction here: in which block
        self.no_wallets: set[bytes] = set()  # their factory does nothing
        self.estimates_well = True
        chain.transactions.append(self._mine)
        chain.dropped.append(self._drop)

    @property
    def roots(self) -> list[bytes]:
        """The roots of anchors that stand on chain, each as often as it was paid for."""
        return [one.data[4:] for one in self.mined() if one.data[:4] == ANCHOR]

    def mined(self) -> list[Sent]:
        return sorted(
            (one for one in self.sent.values() if one.block is not None), key=lambda one: one.nonce
        )

    def use_elsewhere(self) -> None:
        """Somebody else's transaction of the next nonce is in the next block."""
        self.foreign[self._used()] = len(self.chain.blocks)

    def _used(self, at: int | None = None) -> int:
        blocks = [one.block for one in self.sent.values() if one.block is not None]
        blocks += self.foreign.values()
        return sum(at is None or block <= at for block in blocks)

    def _mine(self, number: int) -> list[Event]:
        events: list[Event] = []
        while True:
            nonce = self._used()
            rivals = [one for one in self.sent.values() if one.nonce == nonce and one.block is None]
            rivals = [one for one in rivals if one.fees.max_fee >= self.base_fee]
            if not rivals or nonce in self.foreign:
                return events
            best = max(rivals, key=lambda one: one.fees.max_fee)
            best.block = number
            best.ok = not self.reverts and self._works(best)
            if best.ok:
                events += self._execute(best)

    def _works(self, one: Sent) -> bool:
        return not one.creates or wallet_of(one.data) not in self.no_wallets

    def _execute(self, one: Sent) -> list[Event]:
        if one.creates:
            assert one.block is not None
            self.deployed.setdefault(wallet_of(one.data), one.block)
            return []
        if one.data[:4] == ANCHOR:
            return [anchored(one.data[4:])]
        events: list[Event] = []
        for place, (contributor, wanted, _signature) in enumerate(relayed(one.data)):
            if contributor in self.rejects or not self._exists(contributor):
                one.logs += (_rejected(place, contributor),)
                continue
            for word, mask in wanted.items():
                if news := mask & ~self._bits(contributor, word, events):
                    events.append(revoked(contributor, word, news))
        return events

    def _exists(self, address: bytes) -> bool:
        return address not in self.undeployed or address in self.deployed

    def _bits(self, contributor: bytes, word: int, more: list[Event]) -> int:
        events = [*(one for block in self.chain.blocks for one in block.events), *more]
        found = 0
        for one in events:
            if isinstance(one, Revoked) and (one.contributor, one.word) == (contributor, word):
                found |= one.bits
        return found

    def _drop(self, left: int) -> None:
        for name, one in list(self.sent.items()):
            if one.block is not None and one.block >= left:
                one.block = None
                if self.forgets:
                    del self.sent[name]
        self.deployed = {who: block for who, block in self.deployed.items() if block < left}
        self.foreign = {nonce: block for nonce, block in self.foreign.items() if block < left}

    async def head(self) -> ChainHead:
        return await self.chain.head()

    async def used_nonces(self, at: int | None = None) -> int:
        self.chain._called("used_nonces")
        return self._used(at)

    async def pending_nonces(self) -> int:
        self.chain._called("pending_nonces")
        return max([self._used(), *(one.nonce + 1 for one in self.sent.values())])

    async def balance(self) -> int:
        self.chain._called("balance")
        return self.money

    async def suggest_fees(self) -> Fees:
        self.chain._called("suggest_fees")
        return Fees(2 * self.base_fee + GWEI, GWEI)

    async def has_code(self, address: bytes) -> bool:
        self.chain._called("has_code")
        return self._exists(address)

    async def estimate(self, data: bytes, *, creates: bool = False) -> int:
        self.chain._called("estimate")
        if creates and self.estimates_well and wallet_of(data) in self.no_wallets:
            raise CallReverted("NotDeployed")
        gas = 21_000 + 16 * len(data) + (DEPLOYMENT_GAS if creates else 0)
        if gas > self.most_gas:
            raise TransactionTooLarge(f"{gas} gas")
        return gas

    async def data_fee(self, data: bytes) -> int:
        """Nothing is published elsewhere, unless a test says so."""
        return self.wei_a_byte * len(data)

    async def sign(
        self, data: bytes, nonce: int, gas: int, fees: Fees, *, creates: bool = False
    ) -> SignedTransaction:
        self.chain._called("sign")
        self.signatures += 1
        raw: bytes = msgpack.packb([nonce, gas, fees.max_fee, fees.priority_fee, data, creates])
        return SignedTransaction(raw, keccak(raw), nonce)

    async def knows(self, tx_hash: bytes) -> bool:
        self.chain._called("knows")
        return tx_hash in self.sent

    async def is_mined(self, tx_hash: bytes) -> bool:
        self.chain._called("is_mined")
        return tx_hash in self.sent and self.sent[tx_hash].block is not None

    async def send(self, raw_transaction: bytes) -> None:
        self.chain._called("send")
        nonce, gas, max_fee, priority_fee, data, creates = msgpack.unpackb(raw_transaction)
        if nonce < self._used():
            raise ChainUnreachable("nonce too low")
        if gas * max_fee > self.money:
            raise ChainUnreachable("insufficient funds")
        name = keccak(raw_transaction)
        rivals = [one for other, one in self.sent.items() if one.nonce == nonce and other != name]
        if any(max_fee * 10 < one.fees.max_fee * 11 for one in rivals):
            raise ChainUnreachable("replacement transaction underpriced")
        self.sent.setdefault(name, Sent(nonce, gas, Fees(max_fee, priority_fee), data, creates))
        self.broadcasts.append(raw_transaction)

    async def landed(self, tx_hash: bytes) -> Landed | None:
        self.chain._called("landed")
        one = self.sent.get(tx_hash)
        if one is None or one.block is None:
            return None
        block = ChainPoint(one.block, self.chain.blocks[one.block].hash)
        return Landed(block, one.ok, one.gas * self.base_fee, one.logs)


def wallet_of(code: bytes) -> bytes:
    """The wallet that this init code deploys (sayso_contracts/wallet_deployment.py)."""
    wallet, _, _ = decode(["address", "address", "bytes"], code[len(wallet_deployer_code()) :])
    return address_from_text(wallet)


def signed_in(data: bytes) -> Iterator[SignedRevocation]:
    """The revocations in the call data of a relay."""
    [items] = decode([ITEMS], data[4:])
    for signer, chain_id, scopes, words, masks, signature in items:
        revocation = Revocation(address_from_text(signer), scopes, words, masks)
        yield SignedRevocation(revocation, chain_id, signature)


def _rejected(place: int, contributor: bytes) -> dict[str, Any]:
    return {
        "address": hex_text(NETWORK.registry),
        "topics": [REJECTED_TOPIC, contributor.rjust(32, b"\0")],
        "data": encode(["uint256", "bytes"], [place, b""]),
    }


def relayed(data: bytes) -> Iterator[tuple[bytes, Masks, bytes]]:
    """Who revokes which bits in the call data of a relay, and his signature."""
    for revocation, _, signature in signed_in(data):
        yield revocation.contributor, revocation.bits, signature
