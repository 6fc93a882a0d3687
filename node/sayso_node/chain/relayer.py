"""Relays acknowledged revocations to the registry in batches, so that they become provable state.

A batch holds the fewest kept messages of a contributor that carry the missing bits, side by side, since
a word that was just written is cheap to write again. What the registry rejects is tried again later,
and hinders no other. The next batch is made when the last one was read from the chain, and has nothing
that an earlier one carries which is not final: payer and follower may look at two forks. So nothing is
relayed twice; what is not on chain is wanted until it is, so nothing is left out.
"""

import asyncio
import logging
import sqlite3
from collections.abc import Iterator
from typing import NamedTuple

from sayso_contracts.calls import Calls
from sayso_contracts.errors import BadLog
from sayso_node.alarms import Alarms
from sayso_node.chain.fees import MAX_TRANSACTION_GAS
from sayso_node.chain.interface import Landed
from sayso_node.chain.rejections import Rejected, decode_rejected
from sayso_node.counters import Counters
from sayso_node.interfaces import Clock
from sayso_node.store import chain_state, intents, relays
from sayso_node.store.engine import Engine
from sayso_node.store.intents import Intent
from sayso_protocol.envelope import Envelope, decode
from sayso_protocol.messages import Revocation
from sayso_protocol.primitives import address_text
from sayso_protocol.typed_data import Network
from sayso_protocol.wallet_proofs import read_wallet_proof
from sayso_protocol.words import Masks

log = logging.getLogger(__name__)

# What a message takes at most, in gas: measured on an EVM with the registry of this release, rounded up.
# tests/node/chain/test_on_anvil.py holds it to that.
BASE_GAS = 60_000
ITEM_GAS = 16_000  # ECDSA, hashing, looping
WORD_GAS = 27_000  # a storage slot written for the first time, its event
WALLET_GAS = 165_000  # what the registry keeps ready for a contract wallet
BYTE_GAS = 16  # of calldata; under EIP-7623 only transactions that do next to nothing pay more
CONTRIBUTORS = 2_048  # looked at for one batch


class Item(NamedTuple):
    """A message for a batch, with its own signature as the registry takes it."""

    digest: bytes
    revocation: Revocation
    signature: bytes
    is_contract_wallets: bool

    @property
    def gas(self) -> int:
        """What it may take."""
        revocation = self.revocation
        words = len(revocation.scopes) + len(revocation.words)
        texts = sum(96 + len(scope) for scope in revocation.scopes)
        size = 512 + texts + 64 * len(revocation.words) + len(self.signature)
        wallet = WALLET_GAS if self.is_contract_wallets else 0
        return ITEM_GAS + WORD_GAS * words + BYTE_GAS * size + wallet


class Relayer:
    """See payer.Work; makes relays."""

    kind = "relay"

    def __init__(
        self,
        network: Network,
        store: Engine,
        clock: Clock,
        counters: Counters,
        alarms: Alarms,
        *,
        wait_s: float,
        finality: int,
    ) -> None:
        self._network = network
        self._calls = Calls(address_text(network.registry))
        self._store = store
        self._clock = clock
        self._counters = counters
        self._alarms = alarms
        self._wait_s = wait_s
        self._finality = finality
        self._room = MAX_TRANSACTION_GAS - BASE_GAS
        self._ticked: int | None = None

    async def make(self) -> bool:
        """Make a relay if one is due, and tick off what is done."""
        await self._tick_off()
        batch = await asyncio.to_thread(self._batch)
        if not batch:
            return False
        call = self._calls.relay([(one.revocation, one.signature) for one in batch])
        now = self._clock.now()

        def keep(db: sqlite3.Connection) -> None:
            intent = intents.add(db, self.kind, b"", call.data, now)
            relays.keep_items(db, intent, [one.digest for one in batch])

        await self._store.write(keep)
        self._counters.add("relays_made")
        self._counters.add("relayed", len(batch))
        return True

    def too_large(self) -> None:
        """Half as much from now on, but never less than one message."""
        self._room //= 2

    def landed(self, db: sqlite3.Connection, intent: Intent, landed: Landed, now: float) -> None:
        """Read what the registry rejected."""
        rejected = list(self._rejected(landed))
        for one in rejected:
            if digest := relays.item_at(db, intent.id, one.place):
                relays.refused(db, digest, now)
        self._counters.add("relay_rejected", len(rejected))
        if rejected:
            told = f"{len(rejected)} in block {landed.block.number}, the first: {rejected[0].why}"
            self._alarms.start("relay-rejected", told)
        elif landed.ok:
            self._alarms.end("relay-rejected")

    def failed(self, db: sqlite3.Connection, intent: Intent, now: float) -> None:
        """Its bits are missing, so they come into the next one."""

    async def _tick_off(self) -> None:
        with self._store.read() as db:
            reached = _reached(db)
        if reached != self._ticked:
            await self._store.write(lambda db: relays.tick_off(db, reached - self._finality))
            self._ticked = reached

    def _batch(self) -> list[Item]:
        """The messages of the next relay; none while an earlier one was not read from the chain."""
        now = self._clock.now()
        with self._store.read() as db:
            reached = _reached(db)
            relays_open = [one for one in intents.open_intents(db) if one.kind == self.kind]
            if any(one.mined is None for one in relays_open) or relays.highest(db) > reached:
                return []
            under_way = relays.under_way(db, now)
            waiting = relays.waiting(db, CONTRIBUTORS)
            taken, room, due = list[Item](), self._room, False
            for address, since in waiting:
                for item in self._items(db, address, now, under_way):
                    if item.gas > room and taken:
                        return taken  # full: nobody waits for company
                    taken.append(item)
                    room -= item.gas
                    due = due or since <= now - self._wait_s
        return taken if due else []

    def _items(
        self, db: sqlite3.Connection, address: bytes, now: float, under_way: frozenset[bytes]
    ) -> Iterator[Item]:
        """The fewest messages of a contributor, nearly, that carry what is missing."""
        missing = relays.missing(db, address)
        if not missing:
            return
        heard = [decode(body, self._network) for _, body in relays.stored_of(db, address)]
        for one in heard:
            if one.digest in under_way:
                missing = _without(missing, one)
        heard = [one for one in heard if relays.refusal(db, one.digest).again_at <= now]
        while missing and heard:
            best = max(heard, key=lambda one: _carries(one, missing))
            if not _carries(best, missing):
                return
            heard.remove(best)
            missing = _without(missing, best)
            yield _item(best)

    def _rejected(self, landed: Landed) -> Iterator[Rejected]:
        for raw in landed.logs:
            try:
                if one := decode_rejected(raw, self._network.registry):
                    yield one
            except BadLog as error:
                log.warning("an event of our own relay cannot be read: %s", error)


def _reached(db: sqlite3.Connection) -> int:
    """Up to which height the chain was followed; -1 before the first reading."""
    return next((point.number for point in chain_state.followed(db)), -1)


def _bits(envelope: Envelope) -> Masks:
    message = envelope.message
    assert isinstance(message, Revocation)  # noqa: S101 - it was stored as one
    return message.bits


def _carries(envelope: Envelope, missing: Masks) -> int:
    """How many of the missing bits a message has."""
    bits = _bits(envelope)
    return sum((bits.get(word, 0) & mask).bit_count() for word, mask in missing.items())


def _without(missing: Masks, envelope: Envelope) -> Masks:
    bits = _bits(envelope)
    left = {word: mask & ~bits.get(word, 0) for word, mask in missing.items()}
    return {word: mask for word, mask in left.items() if mask}


def _item(envelope: Envelope) -> Item:
    """The registry takes the wallet's own signature (rule 4.4)."""
    message = envelope.message
    assert isinstance(message, Revocation)  # noqa: S101 - it was stored as one
    is_wallets = envelope.claim.is_contract_wallets
    signature = read_wallet_proof(envelope.signature).signature if is_wallets else envelope.signature
    return Item(envelope.digest, message, signature, is_wallets)
