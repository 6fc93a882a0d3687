"""How fast an empty node fetches what another has: over libp2p between processes, verified and on disk.

`python -m bench.catch_up FOLDER` is the one that has everything; it prints where it listens.
"""

import asyncio
import sys
import tempfile
import time
from asyncio.subprocess import PIPE
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from nacl.signing import SigningKey

from bench.consents import BUYERS, NETWORK, consent
from bench.figure import Figure
from bench.verify import per_core
from sayso_node.chain.wallets.contract_wallets import ContractWallets
from sayso_node.clock import SystemClock
from sayso_node.freshness import Freshness
from sayso_node.gossip.config import GossipConfig
from sayso_node.gossip.peers.addresses import peer_id_of, split_multiaddr
from sayso_node.gossip.process import GossipProcess
from sayso_node.intake.intake import Intake
from sayso_node.intake.outcome import Source, SourceChannel, Status
from sayso_node.interfaces import Judgement, TransportHandlers
from sayso_node.store.admission.sponsors import Quotas
from sayso_node.store.opening import store_at
from sayso_node.supervision.counters import Counters
from sayso_node.sync.answering import Answering
from sayso_node.sync.asking import SyncRounds
from sayso_protocol.messages.envelope import encode
from sayso_protocol.messages.wire import SYNC_PROTOCOL
from sayso_protocol.primitives import sha256
from support.node_rig import NoChain

MESSAGES = 200_000
PART = 1_000  # handed to the intake at once
SNAPCHAIN_PER_S = 128.0  # messages, as its documentation says of a new node
SPONSOR = SigningKey(sha256(b"sponsor"))
LISTEN = "/ip4/127.0.0.1/tcp/0"


def figures() -> Iterator[Figure]:
    """sync.catch_up_per_s"""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with ProcessPoolExecutor() as pool:
            parts = pool.map(_signed, range(0, MESSAGES, PART))
            asyncio.run(_fill(folder / "full.sqlite", parts))
        before = per_core()
        rate, by_cpu = asyncio.run(_measure(folder))
        verified = (before + per_core()) / 2
    peers = {
        "a second of CPU": by_cpu,
        "verify.per_core": verified,
        "snapchain, as documented": SNAPCHAIN_PER_S,
    }
    limit = (
        f"{by_cpu / verified:.2f} x verify.per_core by CPU, which does not check the sponsor's signature"
    )
    yield Figure("sync.catch_up_per_s", rate, "messages/s", "higher", peers, limit)


def _signed(first: int) -> list[bytes]:
    """Consents as a sponsor has them."""
    numbers = range(first, min(first + PART, MESSAGES))
    return [encode(consent(n, grantee=BUYERS[n % len(BUYERS)]).sponsored_by(SPONSOR)) for n in numbers]


class _Parts:
    """What of a node takes part."""

    def __init__(self, path: Path, seed: bytes, peers: tuple[str, ...]) -> None:
        self.store, self.clock, self.counters = store_at(path), SystemClock(), Counters()
        config = GossipConfig(seed, (LISTEN,), peers, (), protocols=(SYNC_PROTOCOL,))
        self.network = GossipProcess(config)
        ids = [split_multiaddr(peer)[1] for peer in peers]
        freshness = Freshness(ids)
        wallets = ContractWallets(NoChain())
        shared = (SigningKey(seed), self.clock, self.counters)
        quotas = Quotas(operators=frozenset({bytes(SPONSOR.verify_key)}))
        self.intake = Intake(NETWORK, self.store, wallets, freshness, *shared, quotas=quotas)
        self.answering = Answering(self.store, self.intake, self.clock, ids)
        self.rounds = SyncRounds(
            NETWORK, self.network, self.store, self.intake, freshness, self.clock, self.counters
        )

    async def start(self) -> None:
        self.store.start()
        await self.network.start(TransportHandlers(self._ignore, self._answer, lambda _p, _c: None))

    async def stop(self) -> None:
        await self.network.stop()
        self.store.stop()

    async def _ignore(self, _topic: str, _frame: bytes, _peer: str) -> Judgement:
        return Judgement.IGNORE

    async def _answer(self, _protocol: str, body: bytes, peer_id: str) -> bytes:
        return await self.answering.answer(body, peer_id)


async def _fill(path: Path, parts: Iterator[list[bytes]]) -> None:
    node = _Parts(path, sha256(b"full"), ())
    node.store.start()
    for part in parts:
        outcomes = await node.intake.take(part, Source(SourceChannel.SYNC, "bench"))
        if any(one.status is not Status.STORED for one in outcomes):
            raise AssertionError("a consent was not stored")
    node.store.stop()


async def _measure(folder: Path) -> tuple[float, float]:
    """Messages a second, and a second of CPU of the node that asks (its gossip process not counted)."""
    command = (sys.executable, "-m", "bench.catch_up", str(folder))
    full = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE)
    assert full.stdout
    where = (await full.stdout.readline()).decode().strip()
    node = _Parts(folder / "empty.sqlite", sha256(b"empty"), (where,))
    await node.start()
    begun, worked = time.perf_counter(), time.process_time()
    if not await node.rounds.round(split_multiaddr(where)[1]):
        raise AssertionError("the round broke off")
    took_s, worked_s = time.perf_counter() - begun, time.process_time() - worked
    with node.store.read() as db:
        held: int = db.execute("SELECT count(*) FROM messages").fetchone()[0]
    await node.stop()
    await full.communicate(b"")  # closes its standard input, which ends it
    if held != MESSAGES:
        raise AssertionError(f"{held} of {MESSAGES} arrived")
    return held / took_s, held / worked_s


async def _serve(folder: Path) -> None:
    node = _Parts(folder / "full.sqlite", sha256(b"full"), ())
    await node.start()
    assert node.network.peer_id == peer_id_of(bytes(SigningKey(sha256(b"full")).verify_key))
    sys.stdout.write((await node.network.listen_addresses())[0] + "\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.read)
    await node.stop()


if __name__ == "__main__":
    asyncio.run(_serve(Path(sys.argv[1])))
