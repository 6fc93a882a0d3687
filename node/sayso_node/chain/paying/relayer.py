"""Relays acknowledged revocations to the registry in batches, so that chain proofs of them exist.

A relay has the fewest stored messages of a contributor that carry the missing bits, side by side,
because writing a word again is cheap. Its highest cost is known beforehand (sayso_contracts.relay). A
message that the registry rejects is retried later and does not block others; a contract wallet without
code is deployed first (wallet_deployer.py). Contributors take turns, message by message, and each has a
part of a relay and of the day's budget; its further messages wait for the next relay or the next day.
The next relay is made once the last one was read from the chain, and skips messages of relays that are
not final, because payer and follower may see different forks. So no message is relayed twice, and bits
stay wanted until they are on chain.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Iterator
from typing import NamedTuple

from sayso_contracts.errors import BadLog
from sayso_contracts.relay import Load, Rejection, load_of, rejections, relay_call
from sayso_contracts.transactions import MAX_TRANSACTION_GAS
from sayso_contracts.wallet_deployment import deployment_code
from sayso_node.chain.interface import Account, Landed
from sayso_node.chain.paying.relay_choice import Carried, choose
from sayso_node.chain.paying.work import Work
from sayso_node.interfaces import Clock
from sayso_node.store.chain import chain_state, deployments, intents, relays
from sayso_node.store.chain.intents import Intent
from sayso_node.store.chain.relays import Want
from sayso_node.store.interface import Reading, Store, Writing
from sayso_node.supervision.alarms import Alarms
from sayso_node.supervision.counters import Counters
from sayso_node.supervision.logs import logger
from sayso_protocol.network import Network
from sayso_protocol.primitives import address_text

log = logger(__name__)

CONTRIBUTORS = 2_048  # contributors examined for one relay
RELAY_PART = 8  # an eighth of a relay's gas for one contributor, but always one message
CONTRIBUTOR_PART = 8  # an eighth of the day's budget for one contributor
PART_PAUSE_S = 3_600.0  # for a contributor whose part is spent
DEPLOYMENT_PAUSE_S = 600.0  # for a wallet without code; its deployment ends the pause


class Batch(NamedTuple):
    """The contents of a relay in preparation.

    Attributes:
        messages: The messages to relay; none if no relay is due.
        load: Their combined load.
        gas: The part of each contributor in it.
        held: Contributors without messages to relay, their wanted bits, and when to try again.
        undeployed: Wallets to deploy first, with their deployment code.
    """

    messages: list[Carried]
    load: Load
    gas: Counter[bytes]
    held: dict[bytes, tuple[list[Want], float]]
    undeployed: dict[bytes, bytes]


class Relayer(Work):
    """Makes relays; after one that failed the bits are still missing, so the next relay has them."""

    kind = "relay"

    def __init__(
        self,
        network: Network,
        account: Account,
        store: Store,
        clock: Clock,
        counters: Counters,
        alarms: Alarms,
        *,
        wait_s: float,
        finality: int,
        budget: int,
    ) -> None:
        self._network = network
        self._account = account
        self._registry = address_text(network.registry)
        self._store = store
        self._clock = clock
        self._counters = counters
        self._alarms = alarms
        self._wait_s = wait_s
        self._finality = finality
        self.limit(budget)
        self._room = MAX_TRANSACTION_GAS
        self._last_size = 0  # messages in the last relay
        self._ticked: int | None = None

    def limit(self, budget: int) -> None:
        """Change the budget of a day, in wei."""
        self._budget_part = budget // CONTRIBUTOR_PART

    async def make(self) -> bool:
        """Make a relay if one is due, and mark final bits as done; also raises ChainUnreachable."""
        await self._tick_off()
        batch = await self._of_those_who_exist(await asyncio.to_thread(self._batch))
        if batch.messages or batch.held or batch.undeployed:
            now = self._clock.now()
            await self._store.write(lambda db: self._keep(db, batch, now))
        if batch.messages:
            self._last_size = len(batch.messages)
            self._counters.add("relays_made")
            self._counters.add("relayed", len(batch.messages))
        return bool(batch.messages)

    def too_large(self) -> bool:
        """Halve the next relay, to at least one message."""
        self._room //= 2
        return self._last_size > 1

    def landed(self, db: Writing, intent: Intent, landed: Landed, now: float) -> None:
        """Read which messages the registry rejected; the next relay may be larger again."""
        self._room = min(2 * self._room, MAX_TRANSACTION_GAS)
        rejected = self._rejected(landed)
        for one in rejected:
            if digest := relays.item_at(db, intent.id, one.index):
                relays.refused(db, digest, now)
        self._counters.add("relay_rejected", len(rejected))
        if rejected:
            text = f"{len(rejected)} in block {landed.block.number}, the first: {rejected[0].reason}"
            self._alarms.start("relay-rejected", text)
        elif landed.ok:
            self._alarms.end("relay-rejected")

    async def _tick_off(self) -> None:
        with self._store.read() as db:
            reached = _reached(db)
        if reached != self._ticked:
            await self._store.write(lambda db: relays.tick_off(db, reached - self._finality))
            self._ticked = reached

    def _batch(self) -> Batch:
        """Collect the messages of the next relay; none until the last relay was read from the chain."""
        now = self._clock.now()
        batch, due = Batch([], Load(), Counter(), {}, {}), False
        with self._store.read() as db:
            if self._waits(db):
                return batch
            for one, since in self._in_turn(db, batch, now):
                load, address = load_of(one.item), one.item.revocation.contributor
                whole = batch.load + load
                if batch.messages and whole.gas > self._room:
                    return batch  # the relay is full and need not wait
                if batch.gas[address] and batch.gas[address] + load.alone > self._room // RELAY_PART:
                    continue
                batch.messages.append(one)
                batch.gas[address] += load.alone
                batch = batch._replace(load=whole)
                due = due or since <= now - self._wait_s
        return batch if due else batch._replace(messages=[])

    def _in_turn(self, db: Reading, batch: Batch, now: float) -> Iterator[tuple[Carried, float]]:
        """Yield one message of each contributor, then another of each, and since when the bits wait."""
        under_way = relays.under_way(db, now, _reached(db) - self._finality)
        lines = deque[tuple[deque[Carried], float]]()
        for address, since in relays.whose_turn(db, now, CONTRIBUTORS):
            if line := self._line(db, batch, address, now, under_way):
                yield line.popleft(), since
                lines.append((line, since))
        while lines:
            line, since = lines.popleft()
            if line:
                yield line.popleft(), since
                lines.append((line, since))

    def _line(
        self, db: Reading, batch: Batch, address: bytes, now: float, under_way: frozenset[bytes]
    ) -> deque[Carried]:
        """Return the messages of a contributor; if there are none, note until when it is held back."""
        if relays.spent_for(db, address, now) >= self._budget_part:
            batch.held[address] = relays.wanted(db, address), now + PART_PAUSE_S
            return deque()
        choice = choose(db, self._network, address, now, under_way, self._counters)
        if not choice.messages and choice.again_at is not None:
            batch.held[address] = relays.wanted(db, address), choice.again_at
        return deque(choice.messages)

    async def _of_those_who_exist(self, batch: Batch) -> Batch:
        """Return the batch without messages of wallets that have no code; they would be rejected."""
        messages = list[Carried]()
        for one in batch.messages:
            wallet, deployment = one.item.revocation.contributor, one.item.deployment
            if deployment is None or await self._account.has_code(wallet):
                messages.append(one)
                continue
            batch.undeployed[wallet] = deployment_code(wallet, deployment)
            with self._store.read() as db:
                again_at = self._clock.now() + DEPLOYMENT_PAUSE_S
                batch.held[wallet] = relays.wanted(db, wallet), again_at
        loads = [(one.item.revocation.contributor, load_of(one.item)) for one in messages]
        gas = Counter[bytes]()
        for wallet, load in loads:
            gas[wallet] += load.alone
        whole = sum((load for _, load in loads), Load())
        return batch._replace(messages=messages, load=whole, gas=gas)

    def _waits(self, db: Reading) -> bool:
        """Return whether an earlier relay has not been read from the chain yet."""
        is_open = any(one.kind == self.kind and one.mined is None for one in intents.open_intents(db))
        return is_open or relays.highest(db) > _reached(db)

    def _keep(self, db: Writing, batch: Batch, now: float) -> None:
        for address, (wanted, again_at) in batch.held.items():
            relays.hold_back(db, address, wanted, again_at)
        for wallet, code in batch.undeployed.items():
            deployments.want(db, wallet, code)
        if batch.messages:
            call = relay_call(self._registry, (one.item for one in batch.messages))
            intent = intents.add(db, self.kind, b"", call.data, now, batch.load.gas)
            relays.keep_items(db, intent, [one.digest for one in batch.messages])
            relays.keep_shares(db, intent, batch.gas)

    def _rejected(self, landed: Landed) -> list[Rejection]:
        try:
            return rejections(landed.logs, self._registry)
        except BadLog as error:
            log.warning("relay-unread", error=error)
            return []


def _reached(db: Reading) -> int:
    """Return the height up to which the chain was read; -1 before the first reading."""
    return next((point.number for point in chain_state.followed(db)), -1)
