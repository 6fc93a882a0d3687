"""Two nodes with one identity: peers that hear both let neither of them sign."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from sayso_node.errors import PeerUnreachable
from sayso_node.freshness import ChainHead, Freshness, Silence
from sayso_node.gossip.peers.addresses import peer_id_of
from sayso_node.presence import loop as module
from sayso_node.presence.loop import MARGIN, PresenceLoop
from sayso_node.presence.protocol import (
    LARGEST_TOLD,
    LIVE_S,
    MOST_RUNS,
    RUN_BYTES,
    Presence,
    Presences,
    encode_presence,
    read_report,
)
from sayso_node.store import messages
from sayso_node.store.opening import store_at
from sayso_node.supervision.alarms import Alarms
from sayso_node.verdicts.signer import RECEIPTS
from sayso_protocol.encoding.packing import pack
from sayso_protocol.errors import SaysoError
from sayso_protocol.network_file import Operator
from sayso_protocol.primitives import address_text, hex_text
from sayso_protocol.receipts.receipt import ChainPoint
from support.fake_chain import FakeChain
from support.fake_network import FakeNetwork, Switchboard
from support.node_rig import NOW, ManualClock, consent, node_key, revocation
from support.protocol_strategies import BEN
from support.running_node import RunningNode, running_node
from support.waiting import until

PEER = "peer"


class Run:
    """One run of a node with the key `me`, on a store, and the one peer that it is configured with."""

    def __init__(self, path: Path, peer: Presences, clock: ManualClock) -> None:
        self.clock, self.alarms = clock, Alarms()
        self.freshness = Freshness([PEER], bool)
        self.freshness.ask_presence()
        self.store = store_at(path)
        self.store.start()
        board = Switchboard()

        async def answering(_protocol: str, body: bytes, peer_id: str) -> bytes:
            return peer.answer(body, peer_id)

        board.add_peer(PEER, answering)
        network = FakeNetwork(board, "me")
        self.loop = PresenceLoop(network, self.store, self.freshness, clock, self.alarms, [PEER])

    async def tell(self) -> Silence | None:
        """Tell the peer; why the node is silent then, with a round and a reading just done."""
        await self.loop.tell()
        now = self.clock.now()
        self.freshness.peer_synced(PEER, now)
        self.freshness.chain_read(now, ChainHead(ChainPoint(1, bytes(32)), now))
        return self.freshness.view(now, 60).silence


@asynccontextmanager
async def run_of(path: Path, peer: Presences, clock: ManualClock) -> AsyncIterator[Run]:
    run = Run(path, peer, clock)
    try:
        await run.loop.start()
        yield run
    finally:
        run.store.stop()


async def test_neither_of_two_signs_until_one_is_gone(tmp_path: Path) -> None:
    clock = ManualClock()
    peer = Presences(clock)
    async with (
        run_of(tmp_path / "a", peer, clock) as a,
        run_of(tmp_path / "b", peer, clock) as b,
    ):
        assert await a.tell() is None
        assert await b.tell() is Silence.TWIN
        assert await a.tell() is Silence.TWIN
        assert set(a.alarms.active()) == set(b.alarms.active()) == {"identity-used-twice"}
        clock.time += LIVE_S + 1  # b is gone
        await a.tell()
        clock.time += 1
        assert (await a.tell(), a.alarms.active()) == (None, {})


async def test_the_silence_ends_although_the_clock_was_set_back(tmp_path: Path) -> None:
    clock = ManualClock()
    peer = Presences(clock)
    async with (
        run_of(tmp_path / "a", peer, clock) as a,
        run_of(tmp_path / "b", peer, clock) as b,
    ):
        clock.time += 31_536_000.0
        await a.tell()
        assert await b.tell() is Silence.TWIN
        clock.time -= 31_536_000.0
        await b.tell()
        clock.time += LIVE_S + 1
        assert (await b.tell(), b.alarms.active()) == (None, {})


async def test_a_restart_is_no_twin(tmp_path: Path) -> None:
    clock = ManualClock()
    peer = Presences(clock)
    for _ in range(3):
        async with run_of(tmp_path / "a", peer, clock) as run:
            assert await run.tell() is None
        clock.time += 1


@pytest.mark.parametrize(
    ("ahead", "ours"), [([0, 600], 0), ([-600, 0], 0), ([600, 600], -600), ([0, 600, 900], -600)]
)
async def test_a_clock_is_wrong_only_if_most_peers_say_so(
    tmp_path: Path, ahead: list[float], ours: float
) -> None:
    clock = ManualClock()
    board = Switchboard()
    for number, seconds in enumerate(ahead):
        theirs = Presences(ManualClock(clock.time + seconds))

        async def answering(
            _protocol: str, body: bytes, peer_id: str, *, peer: Presences = theirs
        ) -> bytes:
            return peer.answer(body, peer_id)

        board.add_peer(str(number), answering)
    async with run_of(tmp_path / "a", Presences(clock), clock) as run:
        names = [str(number) for number in range(len(ahead))]
        parts = (FakeNetwork(board, "me"), run.store, run.freshness, clock, run.alarms)
        await PresenceLoop(*parts, names).tell()
        assert run.freshness.clock_offset == pytest.approx(ours, abs=1)


async def test_two_from_one_copy_are_twins(tmp_path: Path) -> None:
    clock = ManualClock()
    peer = Presences(clock)
    async with run_of(tmp_path / "a", peer, clock) as run:
        assert await run.tell() is None
    shutil.copy(tmp_path / "a", tmp_path / "b")
    async with (
        run_of(tmp_path / "a", peer, clock) as a,
        run_of(tmp_path / "b", peer, clock) as b,
    ):
        assert await a.tell() is None
        assert await b.tell() is Silence.TWIN
        assert await a.tell() is Silence.TWIN


async def test_before_a_peer_is_asked_nothing_is_said(tmp_path: Path) -> None:
    clock = ManualClock()
    async with run_of(tmp_path / "a", Presences(clock), clock) as run:
        run.freshness.peer_synced(PEER, clock.now())
        run.freshness.chain_read(clock.now(), ChainHead(ChainPoint(1, bytes(32)), clock.now()))
        assert run.freshness.view(clock.now(), 60).silence is Silence.PEERS
        assert await run.tell() is None


async def test_a_peer_that_does_not_know_the_protocol_stops_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = ManualClock()
    async with run_of(tmp_path / "a", Presences(clock), clock) as run:

        async def refuses(*_: object) -> bytes:
            raise PeerUnreachable("it is not served here")

        monkeypatch.setattr(run.loop._transport, "request", refuses)
        assert await run.tell() is None


async def test_no_number_of_a_receipt_comes_again_after_a_restore(tmp_path: Path) -> None:
    clock = ManualClock()
    peer = Presences(clock)
    async with run_of(tmp_path / "a", peer, clock) as run:
        await run.tell()
        shutil.copy(tmp_path / "a", tmp_path / "backup")
        for _ in range(5):
            await run.store.write(lambda db: messages.next_number(db, RECEIPTS))
        await run.store.write(lambda db: messages.note_time(db, "latest-receipt", int(NOW) + 9))
        await run.tell()
    clock.time += LIVE_S + 1
    async with run_of(tmp_path / "backup", peer, clock) as run:
        assert await run.tell() is None
        assert await run.store.write(lambda db: messages.next_number(db, RECEIPTS)) == 5 + MARGIN + 1
        with run.store.read() as db:
            assert messages.noted_time(db, "latest-receipt") == int(NOW) + 9


WRONG = [
    b"",
    b"\xc1",
    pack([b"r" * 15, b"", 0, 0]),
    pack([b"r" * 16, b"p", 0, 0]),
    pack([b"r" * 16, b"", LARGEST_TOLD + 1, 0]),
    pack([b"r" * 16, b"", 0]),
    pack([b"r" * 64, b"", 0, 0]),
]


@pytest.mark.parametrize("body", WRONG)
def test_what_is_no_presence_is_refused(body: bytes) -> None:
    with pytest.raises(SaysoError):
        Presences(ManualClock()).answer(body, "somebody")


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    presences = Presences(ManualClock())
    for number in range(50):
        run = number.to_bytes(RUN_BYTES)
        heard = read_report(presences.answer(encode_presence(Presence(run, b"", 0, 0)), "one"))
        assert heard.others == min(number, MOST_RUNS)
    for number in range(3_000):
        presences.answer(encode_presence(Presence(bytes(RUN_BYTES), b"", 0, 0)), str(number))
    assert len(presences._strangers) <= 1_024


def test_strangers_do_not_displace_what_a_configured_peer_said() -> None:
    """Else a restored node would hear nothing of the numbers that it gave."""
    presences = Presences(ManualClock(), [PEER])
    presences.answer(encode_presence(Presence(bytes(RUN_BYTES), b"", 7, 8)), PEER)
    for number in range(3_000):
        presences.answer(encode_presence(Presence(bytes(RUN_BYTES), b"", 0, 0)), str(number))
    restored = encode_presence(Presence(b"r" * RUN_BYTES, b"", 0, 0))
    assert read_report(presences.answer(restored, PEER))[:3] == (1, 7, 8)


async def reason(node: RunningNode) -> tuple[int, Any]:
    one = consent(1)
    rows = [[hex_text(one.digest), hex_text(one.items[0])]]
    question = {"grantee": address_text(BEN), "purpose": "train-ai", "max_age_s": 600, "run_id": ""}
    return await node.ask("POST", "/v1/check", json=question | {"rows": rows})


async def test_whole_nodes_with_one_key_sign_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They share a peer; each is on a network of its own otherwise."""
    monkeypatch.setattr(module, "PRESENCE_EVERY_S", 0.01)
    clock, chain = ManualClock(), FakeChain()
    peer = Presences(clock)
    key = bytes(node_key("other").verify_key)
    name = peer_id_of(key)
    operators = [Operator("other", key, f"/ip4/127.0.0.1/tcp/4600/p2p/{name}")]

    async def answering(protocol: str, body: bytes, peer_id: str) -> bytes:
        if protocol != "/sayso/presence/1":
            raise PeerUnreachable("it only hears")
        return peer.answer(body, peer_id)

    boards = [Switchboard(), Switchboard()]
    for one, folder in zip(boards, "ab", strict=True):
        one.add_peer(name, answering)
        (tmp_path / folder).mkdir()
    shared: dict[str, Any] = {"chain": chain, "clock": clock, "operators": operators}
    async with running_node(tmp_path / "a", board=boards[0], **shared) as a:
        await a.submit(consent(1, sponsor=None))
        assert (await reason(a))[0] == 200
        async with running_node(tmp_path / "b", board=boards[1], **shared) as b:
            for node in (a, b):
                await until(lambda node=node: node.node._freshness.twin_until > 0)  # type: ignore[misc]
                status, body = await reason(node)
                assert (status, body["error"]["code"]) == (503, "identity-in-use")
                status, body = await node.submit(revocation("everything"))
                assert (status, node is a) in {(503, True), (202, False)}  # pending: b has no consent
                assert (await node.get("/readyz"))[1]["silence"] == "identity-used-twice"
