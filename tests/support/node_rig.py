"""The parts of a node, wired as node.py wires them, with the world outside in the test's hands.

with NodeRig(tmp_path) as rig:
    await rig.give(consent(1))
"""

from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Self

from nacl.signing import SigningKey

from sayso_node.chain.wallets.contract_wallets import ContractWallets, Prober
from sayso_node.chain.wallets.wallet_watch import WalletWatch
from sayso_node.errors import ChainUnreachable
from sayso_node.freshness import ChainHead, Freshness
from sayso_node.gossip.broadcast import Broadcast
from sayso_node.gossip.peers.addresses import peer_id_of
from sayso_node.intake.intake import Intake
from sayso_node.intake.outcome import Outcome, Source, SourceChannel
from sayso_node.interfaces import TransportHandlers
from sayso_node.store.admission.pending import PendingRoom
from sayso_node.store.admission.sponsors import Quotas
from sayso_node.store.opening import store_at
from sayso_node.store.statements.waiting import StatementRoom
from sayso_node.supervision.alarms import Alarms
from sayso_node.supervision.counters import Counters
from sayso_node.sync.answering import Answering
from sayso_node.sync.asking import SyncRounds
from sayso_node.verdicts.judge import Judge
from sayso_node.verdicts.license_cache import LicenseCache
from sayso_node.verdicts.signer import Signer
from sayso_protocol.messages.envelope import Envelope, encode
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.primitives import sha256
from sayso_protocol.receipts.receipt import ChainPoint
from support.fake_network import FakeNetwork, Switchboard
from support.protocol_strategies import ADA, NETWORK, NODE, a_consent, item_hashes, signed

NOW = 1_750_000_000.0  # between the dates of an ordinary consent


class ManualClock:
    """A clock that stands still until a test moves it."""

    def __init__(self, now: float = NOW) -> None:
        self.time = now

    def now(self) -> float:
        return self.time


class NoChain:
    """An endpoint that answers nothing."""

    async def created(self, code: bytes, gas: int, block: ChainPoint) -> bytes:
        raise ChainUnreachable("there is no chain")


def node_key(name: str) -> SigningKey:
    """The identity of the node of this name."""
    return SigningKey(sha256(f"sayso node {name}".encode()))


def consent(
    number: int, /, *, count: int = 1, sponsor: SigningKey | None = NODE, **changes: object
) -> Envelope:
    """A signed consent on items of its own, sponsored by the test node unless told otherwise."""
    items = item_hashes(count, number)
    envelope = signed(a_consent(items, **changes), items)
    return envelope.sponsored_by(sponsor) if sponsor else envelope


def revocation(*scopes: str, contributor: bytes = ADA, words: dict[int, int] | None = None) -> Envelope:
    """A signed revocation of these scopes and words."""
    masks = words or {}
    return signed(Revocation(contributor, scopes, tuple(masks), tuple(masks.values())))


class NodeRig:
    """The parts of the node of this name; use as a context manager."""

    def __init__(
        self,
        folder: Path,
        *,
        name: str = "rig",
        board: Switchboard | None = None,
        peers: Iterable[str] = (),
        clock: ManualClock | None = None,
        gossip: bool = True,
        room: PendingRoom = PendingRoom(),  # noqa: B008 - it cannot be changed
        prober: Prober | None = None,
        quotas: Quotas = Quotas(),  # noqa: B008 - likewise
        location: str | None = None,
        heeded: Iterable[bytes] = (),
        statements: StatementRoom = StatementRoom(),  # noqa: B008 - likewise
    ) -> None:
        self.identity = key = node_key(name)
        self.peer_id = peer_id_of(bytes(key.verify_key))
        self.board = board or Switchboard()
        self.clock = clock or ManualClock()
        self.counters = Counters()
        self.alarms = Alarms()
        self.folder = folder
        self.store = store_at(location or folder / f"{name}.sqlite")
        peers, heeded = tuple(peers), frozenset(heeded)
        self.freshness = Freshness(peers, lambda: self.store.damage.text, heeded)
        self.network = FakeNetwork(self.board, self.peer_id)
        shared = (key, self.clock, self.counters)
        wallets = ContractWallets(prober or NoChain())
        parts = (NETWORK, self.store, wallets, self.freshness, *shared)
        self.intake = Intake(*parts, room, quotas, waiting=statements, heeded=heeded)
        self.watch = WalletWatch(*parts[:4], self.clock, self.counters, 0.01)
        self.broadcast = Broadcast(NETWORK, self.network, self.intake, self.counters, enabled=gossip)
        self.answering = Answering(self.store, self.intake, self.clock, peers)
        self.rounds = SyncRounds(
            NETWORK, self.network, self.store, self.intake, self.freshness, self.clock, self.counters
        )
        self.licenses = LicenseCache()
        self.judge = Judge(NETWORK, self.store, self.freshness, self.clock, self.counters, self.licenses)
        self.signer = Signer(NETWORK, self.store, self.freshness, *shared)

    def __enter__(self) -> Self:
        self.store.start()
        self.board.connect(
            self.peer_id, TransportHandlers(self.broadcast.on_frame, self._answer, lambda _p, _c: None)
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.board.disconnect(self.peer_id)
        self.store.stop()

    async def _answer(self, _protocol: str, body: bytes, peer_id: str) -> bytes:
        return await self.answering.answer(body, peer_id)

    async def give(
        self, *envelopes: Envelope, source: SourceChannel = SourceChannel.HTTP
    ) -> list[Outcome]:
        """Hand messages to the intake in one bundle."""
        return await self.take([encode(one) for one in envelopes], source)

    async def take(
        self, bundle: list[bytes], source: SourceChannel, name: str = "test"
    ) -> list[Outcome]:
        """Hand bytes to the intake."""
        return await self.intake.take(bundle, Source(source, name))

    def digests(self) -> set[bytes]:
        """Everything that is stored."""
        with self.store.read() as db:
            return {digest for (digest,) in db.execute("SELECT digest FROM messages")}

    def count(self, name: str) -> int:
        """One counter."""
        return self.counters.snapshot()[name]

    def be_current(self, number: int = 1) -> None:
        """As if the chain and every configured peer had just been read."""
        now = self.clock.now()
        self.freshness.chain_read(now, ChainHead(ChainPoint(number, sha256(b"block")), now))
        for peer_id in list(self.freshness._peers_begun):
            self.freshness.peer_synced(peer_id, now, self.freshness.heeded)

    def confirm(self) -> None:
        """As if the chain and every peer had been read a second after all that was given (rule 8.9)."""
        self.clock.time += 1
        self.be_current()
