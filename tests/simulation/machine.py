"""A machine: a disk, a clock, a port, an endpoint of the chain, and on them the production code.

A life begins when the machine comes up and ends when it loses power or stops in order. The parts of a
node are wired as sayso_node.node wires them. What the node said to anybody is written down outside, so
that a checker can hold it to its word in all later lives.
"""

import asyncio
import sys
from collections.abc import Callable, Coroutine, Sequence
from random import Random
from typing import Any

from nacl.signing import SigningKey

from sayso_node.batches.fetcher import BatchFetcher
from sayso_node.batches.protocol import answer_batch
from sayso_node.chain.following.block_dates import BlockDates
from sayso_node.chain.following.follower import Follower
from sayso_node.chain.following.statement_ends import StatementEnds
from sayso_node.chain.paying.anchorer import Anchorer
from sayso_node.chain.paying.fees import ETHER, GWEI, Allowance
from sayso_node.chain.paying.payer import Payer
from sayso_node.chain.paying.relayer import Relayer
from sayso_node.chain.wallets.contract_wallets import ContractWallets
from sayso_node.errors import NotFound, PeerUnreachable
from sayso_node.freshness import ChainHead, Freshness
from sayso_node.gossip.broadcast import Broadcast
from sayso_node.gossip.peers.addresses import peer_id_of
from sayso_node.intake.intake import Intake
from sayso_node.intake.outcome import Outcome, Source, Status
from sayso_node.interfaces import TransportHandlers
from sayso_node.store import messages
from sayso_node.store.admission.pending import PendingRoom
from sayso_node.store.admission.sponsors import Quotas
from sayso_node.supervision.alarms import Alarms
from sayso_node.supervision.counters import Counters
from sayso_node.sync.answering import Answering
from sayso_node.sync.asking import SyncRounds
from sayso_node.sync.loop import SyncLoop
from sayso_node.verdicts.judge import Check, CheckResult, Judge
from sayso_node.verdicts.license_cache import LicenseCache
from sayso_node.verdicts.signer import Signer
from sayso_node.verdicts.status_desk import StatusDesk, StatusQuestion
from sayso_protocol.messages import wire
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.primitives import sha256
from sayso_protocol.receipts.receipt import Receipt, Signed
from sayso_protocol.receipts.text import AcknowledgementJson
from sayso_protocol.verdicts.rows import row_at
from sayso_protocol.verdicts.verdict import Reason
from simulation.account import SimAccount
from simulation.chain import Endpoint, SimChain
from simulation.disk import LoopWriter, Media
from simulation.holders import HEEDED
from simulation.knowledge import Knowledge
from simulation.loop import VirtualLoop, context_of
from simulation.network import Net, Port
from support.protocol_strategies import NETWORK

EPOCH = 1_750_000_000.0
COMMIT_S = (0.001, 0.02)
SYNC_EVERY_S = 6.0
READ_CHAIN_EVERY_S = 3.0
ANCHOR_AFTER_S = 10.0
RELAY_AFTER_S = 5.0
FINALITY = 8  # blocks; no fork of the simulation is as deep
ALLOWANCE = Allowance(max_fee=1_000 * GWEI, budget=1_000 * ETHER, low=ETHER)


class SimClock:
    """A wall clock that may be wrong; it can be put forward and back."""

    def __init__(self, loop: VirtualLoop) -> None:
        self._loop = loop
        self.error_s = 0.0
        self.put_back_s = 0.0  # in all

    def now(self) -> float:
        return EPOCH + self._loop.time() + self.error_s

    def put(self, error_s: float) -> None:
        """From now on it is wrong by this much."""
        self.put_back_s += max(0.0, self.error_s - error_s)
        self.error_s = error_s


class WatchedIntake(Intake):
    """Writes down what was let in: from then on the node must act as if it knew."""

    on_outcomes: Callable[[Sequence[Outcome], Source], None]

    async def take(self, bundle: Sequence[bytes], source: Source) -> list[Outcome]:
        outcomes = await super().take(bundle, source)
        self.on_outcomes(outcomes, source)
        return outcomes


class WatchedFreshness(Freshness):
    """Tells when the node claims to have read the chain."""

    on_chain_read: Callable[[ChainHead], None]

    def chain_read(self, begun: float, head: ChainHead) -> None:
        super().chain_read(begun, head)
        self.on_chain_read(head)


class Promise:
    """An answer that a machine gave to a user about a message."""

    def __init__(
        self, digest: bytes, acknowledgement: AcknowledgementJson | None, given_at: float
    ) -> None:
        self.digest = digest
        self.acknowledgement = acknowledgement  # of a revocation
        self.given_at = given_at


class Machine:
    """One honest machine in all its lives."""

    def __init__(
        self,
        name: str,
        net: Net,
        chain: SimChain,
        loop: VirtualLoop,
        seed: str,
        *,
        room: PendingRoom,
        media: Media,
        pays: bool = False,
    ) -> None:
        self.name = name
        self.loop = loop
        self.random = Random(f"{seed}/{name}")
        self.key = SigningKey(sha256(f"sayso simulated node {name}".encode()))
        self.peer_id = peer_id_of(bytes(self.key.verify_key))
        self.clock = SimClock(loop)
        self.disk = media(Random(f"{seed}/{name}/disk"), lambda: EPOCH + loop.time())
        self.disk.on_power_failure = self.lose_power
        self.port = Port(net, self.peer_id)
        self.endpoint = Endpoint(chain, Random(f"{seed}/{name}/chain"))
        self.account = SimAccount(self.endpoint, sha256(self.name.encode())[:20])
        self._chain = chain
        self._blocks_told: set[bytes] = set()
        self.room = room
        self.pays = pays
        # Traces need "batches" and "dates", too, and ends of statements "ends".
        self.parts: tuple[str, ...] = ("sync", "follower", "payer") if pays else ("sync", "follower")
        self.operators: frozenset[bytes] = frozenset()  # node keys that the network file names
        self.friends: tuple[str, ...] = ()  # configured peers
        self.life: Life | None = None
        self.is_coming_up = False
        self.is_held_down = False  # while its operator works on its store
        self.crashes = 0
        # What it was told and what it said: kept for the checkers, in all lives.
        self.told = Knowledge()
        self.first_told: dict[bytes, float] = {}  # digest -> seconds since the start, kept for good
        self.promises: list[Promise] = []
        self.receipts: list[tuple[Signed[Receipt], bytes, bytes]] = []
        self.on_fault: Callable[[str], None] = lambda _text: None
        self.on_judged: Callable[[Machine, Check, CheckResult, list[Reason]], None] = lambda *_: None
        self.lies = False
        self.unsigned: set[bytes] = set()  # digests of statements without signature
        self.erased: set[bytes] = set()  # licenses

    @property
    def is_up(self) -> bool:
        return self.life is not None and not self.is_coming_up

    def come_up(self) -> None:
        """Begin a new life."""
        if self.life is None and not self.is_held_down:
            self.life = life = Life(self)
            self.port.belongs_to(life)
            self.is_coming_up = True
            self.do(life.start()).add_done_callback(self.complain)

    def lose_power(self) -> None:
        """At this instant; what was not synced is lost."""
        life, self.life = self.life, None
        if life is None:
            return
        self.crashes += 1
        self.is_coming_up = False
        self.port.go_down()
        life.writer.lose_power()
        self.disk.lose_power()
        for task in list(life.tasks):
            task.cancel()

    async def stop_in_order(self) -> None:
        """As an operator stops a node."""
        if life := self.life:
            await life.stop()
            if self.life is life:
                self.life = None

    def do(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Do something as this machine: it dies with it."""
        assert self.life
        return context_of(self.life).run(self.loop.create_task, work)

    def complain(self, task: asyncio.Task[None]) -> None:
        """A part of a node never ends by itself."""
        if not task.cancelled() and (error := task.exception()):
            self.on_fault(f"{self.name}: {task.get_name()} has failed: {error!r}")

    def note_outcomes(self, outcomes: Sequence[Outcome]) -> None:
        for one in outcomes:
            if one.envelope and one.status is not Status.REFUSED:
                self.told.hear(one.envelope)
                if one.envelope.claim.travels_alone:
                    self.unsigned.add(one.envelope.digest)
                if one.status is not Status.PENDING:
                    self.first_told.setdefault(one.envelope.digest, self.loop.time())

    def note_chain(self, head: ChainHead) -> None:
        """The node claims to know everything up to there."""
        block = self._chain.by_hash.get(head.point.hash)
        while block and block.hash not in self._blocks_told:
            self._blocks_told.add(block.hash)
            self.told.hear_chain(block.events)
            block = block.parent
        self.check_endorsed()

    def check_endorsed(self) -> None:
        """A contract wallet's statement is kept only if its endorsement is final."""
        if self.life and self.unsigned:
            with self.life.store.read() as db:
                kept = messages.known_of(db, self.unsigned)
            if set(kept) - self._chain.final_endorsements(FINALITY):
                self.on_fault(f"{self.name} keeps a statement whose endorsement is not final")


class NoOperators:
    """Nobody serves batches over HTTP here; they come from peers."""

    async def get(self, url: str) -> Any:
        raise PeerUnreachable(f"nothing is at {url}")


class LoudCounters(Counters):
    """Counters that make a fault of ours a finding, whatever contains it."""

    def __init__(self, machine: Machine) -> None:
        super().__init__()
        self._machine = machine

    def add(self, name: str, count: int = 1) -> None:
        super().add(name, count)
        if name == "faults":
            self._machine.on_fault(f"{self._machine.name}: a fault was contained: {sys.exception()!r}")


class Life:
    """The parts of a node from one start to its end."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.tasks: dict[asyncio.Task[Any], None] = {}
        draw = machine.random
        self.writer = LoopWriter(lambda: draw.uniform(*COMMIT_S))
        self.counters = counters = LoudCounters(machine)
        self.store = store = machine.disk.store(machine.name, draw.randbytes, self.writer)
        self.freshness = freshness = WatchedFreshness(machine.friends, heeded=[HEEDED.address])
        freshness.on_chain_read = machine.note_chain
        clock, key, port, chain = machine.clock, machine.key, machine.port, machine.endpoint
        wallets = ContractWallets(chain)
        signing = (key, clock, counters)
        quotas = Quotas(operators=machine.operators)
        self.intake = intake = WatchedIntake(
            *(NETWORK, store, wallets, freshness, *signing),
            room=machine.room,
            quotas=quotas,
            heeded=frozenset({HEEDED.address}),
            finality=FINALITY,
        )
        intake.on_outcomes = lambda outcomes, _source: machine.note_outcomes(outcomes)
        self.broadcast = Broadcast(NETWORK, port, intake, counters, enabled=True)
        self.rounds = SyncRounds(
            NETWORK, port, store, intake, freshness, clock, counters, draw.randbytes
        )
        self.answering = Answering(store, intake, clock, machine.friends)
        self.sync = SyncLoop(port, self.rounds, SYNC_EVERY_S)
        licenses = LicenseCache()
        self.follower = Follower(
            *(chain, store, freshness, clock, counters, Alarms(), Random(draw.random())),
            registry=NETWORK.registry,
            finality=FINALITY,
            deploy_block=1,
            interval_s=READ_CHAIN_EVERY_S,
            came=intake.blocks_came,
            dated_anew=licenses.clear,
        )
        self.payer = self._make_payer()
        self.batches = BatchFetcher((), NoOperators(), store, counters, port)
        self.dates = BlockDates(chain, store, FINALITY, READ_CHAIN_EVERY_S)
        self.ends = StatementEnds(NETWORK, store, READ_CHAIN_EVERY_S)
        self.judge = Judge(NETWORK, store, freshness, clock, counters, licenses)
        self.signer = Signer(NETWORK, store, freshness, *signing, relays=machine.pays)
        self.desk = StatusDesk(NETWORK, store, freshness, *signing, licenses)

    def _make_payer(self) -> Payer:
        """As sayso_node.chain.side does."""
        machine, store, counters, clock = self.machine, self.store, self.counters, self.machine.clock
        shared = (store, clock, counters, Alarms())
        sponsor = bytes(machine.key.verify_key)
        work = (
            Anchorer(store, sponsor, clock, counters, wait_s=ANCHOR_AFTER_S),
            Relayer(
                *(NETWORK, machine.account, *shared),
                wait_s=RELAY_AFTER_S,
                finality=FINALITY,
                budget=ALLOWANCE.budget,
            ),
        )
        return Payer(machine.account, *shared, ALLOWANCE, work, finality=FINALITY)

    async def start(self) -> None:
        """In the order of sayso_node.node."""
        self.store.start()
        self.intake.start()
        handlers = TransportHandlers(self.broadcast.on_frame, self._on_request, self._on_peer)
        await self.machine.port.start(handlers)
        running = {
            "sync": self.sync.run,
            "follower": self.follower.run,
            "payer": self.payer.run,
            "batches": self.batches.run,
            "dates": self.dates.run,
            "ends": self.ends.run,
        }
        for name in self.machine.parts:
            self._spawn(name, running[name]())
        self.machine.is_coming_up = False

    async def stop(self) -> None:
        """In the order of sayso_node.node."""
        mine = asyncio.current_task()
        parts = [task for task in self.tasks if task is not mine]
        for task in parts:
            task.cancel()
        await asyncio.gather(*parts, return_exceptions=True)
        await self.broadcast.stop()
        await self.machine.port.stop()
        self.store.stop()

    async def submit(self, bundle: Sequence[bytes], address: str) -> list[Promise]:
        """As POST /v1/messages does; raises StoreUnusable, GossipQueueFull."""
        self.broadcast.check_room(bundle)
        outcomes = await self.intake.take(bundle, Source.http(address))
        self.broadcast.publish(outcomes)
        promises = []
        for one in outcomes:
            if one.envelope is None or one.status not in (Status.STORED, Status.KNOWN):
                continue
            acknowledgement = None
            if isinstance(one.envelope.message, Revocation):
                acknowledgement = await self.signer.acknowledge(one.envelope)
            promises.append(Promise(one.envelope.digest, acknowledgement, self.machine.loop.time()))
        self.machine.promises += promises
        return promises

    async def check(self, check: Check) -> None:
        """As POST /v1/checks does, and /v1/status in the same moment; raises StoreUnusable."""
        answered = await asyncio.to_thread(self._judge, check)
        receipt = await self.signer.receipt(check, answered)
        self.machine.receipts.append((receipt, check.rows, answered.reasons))

    def _judge(self, check: Check) -> CheckResult:
        answered = self.judge.judge(check)
        rows = [row_at(check.rows, at) for at in range(len(answered.reasons))]
        asked = [StatusQuestion(row, check.query, check.max_age_s) for row in rows]
        statuses = [one.status.reason for one in self.desk.answer(asked)]
        self.machine.on_judged(self.machine, check, answered, statuses)
        return answered

    async def _on_request(self, protocol: str, body: bytes, peer_id: str) -> bytes:
        if protocol == wire.BATCH_PROTOCOL:
            return answer_batch(self.store, body)
        if protocol != wire.SYNC_PROTOCOL:
            raise NotFound(f"{protocol} is not served here")
        return await self.answering.answer(body, peer_id)

    def _on_peer(self, peer_id: str, connected: bool) -> None:
        if connected:
            self.sync.wake(peer_id)

    def _spawn(self, name: str, part: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(part, name=f"{self.machine.name} {name}")
        task.add_done_callback(self.machine.complain)
