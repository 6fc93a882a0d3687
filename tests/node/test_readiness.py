"""`/readyz` names every reason why a node is not ready, in words for whoever has to act."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sayso_node.chain.rpc import registry_watch
from sayso_node.chain.rpc.registry_watch import RegistryWatch
from sayso_node.errors import ChainUnreachable, StoreUnusable
from sayso_node.freshness import ChainHead, Freshness, Silence
from sayso_node.readiness import READY_AGE_S, Readiness
from sayso_node.store.interface import Store, Writing
from sayso_node.store.opening import store_at
from sayso_node.supervision.alarms import Alarms
from sayso_protocol.primitives import sha256
from sayso_protocol.receipts.receipt import ChainPoint
from support.fake_chain import FakeChain
from support.node_rig import NOW, ManualClock, consent
from support.protocol_strategies import NETWORK
from support.running_node import running_node


class World:
    """What readiness looks at, all of it in order."""

    def __init__(self, store: Store) -> None:
        self.clock, self.alarms, self.down = ManualClock(), Alarms(), list[str]()
        self.freshness = Freshness(["north", "south"])
        self.store = store
        self.readiness = Readiness(self.freshness, store, self.alarms, self.clock, lambda: self.down)
        self.height = 0
        self.go_on()

    def go_on(self, seconds: float = 0, *, block_age: float = 0, mined: bool = True) -> None:
        """Time passes; chain and peers are read at its end."""
        self.clock.time += seconds
        self.height += mined
        now = self.clock.now()
        point = ChainPoint(self.height, sha256(b"%d" % self.height))
        self.freshness.chain_read(now, ChainHead(point, now - block_age))
        for peer in ("north", "south"):
            self.freshness.peer_synced(peer, now)

    def found(self) -> dict[str, str]:
        return dict(self.readiness.reasons())


@pytest.fixture
def world(tmp_path: Path) -> Any:
    store = store_at(tmp_path / "store")
    store.start()
    yield World(store)
    store.stop()


def ahead(world: World) -> None:
    """New blocks come, and all are a day old by our clock."""
    for _ in range(3):
        world.go_on(60, block_age=86_400)


def frozen(world: World) -> None:
    for turn in range(1, 6):
        world.go_on(60, block_age=60 * turn, mined=False)


def behind(world: World) -> None:
    world.go_on(block_age=-86_400)


def differs(world: World) -> None:
    world.freshness.clock_offset = -600.0


def unsynced(world: World) -> None:
    world.clock.time += READY_AGE_S + 1
    now = world.clock.now()
    world.freshness.chain_read(now, ChainHead(ChainPoint(9, bytes(32)), now))
    world.freshness.peer_synced("south", now)


def never_synced(world: World) -> None:
    world.freshness.forget()
    world.go_on()
    world.freshness._peers_begun["north"] = float("-inf")


def no_registry(world: World) -> None:
    world.freshness.wrong_chain = "rpc.example has no code at the registry"


def part_down(world: World) -> None:
    world.down.append("payer")


def snapshots(world: World) -> None:
    world.alarms.start("snapshots-failed", "Permission denied: 'snapshots'")


def unread(world: World) -> None:
    world.clock.time += READY_AGE_S + 1
    world.alarms.start("chain-unreachable", "connection refused")


def damaged(world: World) -> None:
    world.store.damage.report("revocations of 0xab are not what was stored")
    world.freshness._damage = lambda: world.store.damage.text


def twin(world: World) -> None:
    world.freshness.twin_until = world.clock.now() + 60


REASONS: dict[Callable[[World], None], tuple[str, str]] = {
    ahead: ("clock-wrong", "clock is ahead"),
    behind: ("clock-wrong", "86400 s behind the newest block"),
    differs: ("clock-wrong", "600 s behind the clocks of its peers"),
    frozen: ("chain-frozen", "gives no newer one"),
    unsynced: ("peers-unsynced", "north"),
    never_synced: ("peers-unsynced", "never synced with north"),
    no_registry: ("registry-missing", "no code"),
    part_down: ("part-down", "payer"),
    snapshots: ("snapshots-failed", "Permission denied"),
    unread: ("chain-unread", "connection refused"),
    damaged: ("store-damaged", "0xab"),
    twin: ("identity-used-twice", "this node's key"),
}


def test_nothing_is_wrong(world: World) -> None:
    assert world.found() == {}


@pytest.mark.parametrize("fault", REASONS, ids=lambda one: one.__name__)
def test_each_fault_has_its_name(world: World, fault: Callable[[World], None]) -> None:
    fault(world)
    code, text = REASONS[fault]
    assert text in world.found()[code]


async def test_a_full_disk_and_a_read_only_store(world: World) -> None:
    """At once, and until something is stored again."""
    blob = "INSERT INTO singles VALUES (randomblob(8), zeroblob(10000000))"
    for pragma, undo, word in (
        ("PRAGMA max_page_count = 1", "PRAGMA max_page_count = 1000000", "full"),
        ("PRAGMA query_only = 1", "PRAGMA query_only = 0", "readonly"),
    ):

        def fail(db: Writing, setting: str = pragma, back: str = undo) -> None:
            db.execute(setting).fetchall()
            try:
                db.execute(blob)
            finally:
                db.execute(back).fetchall()

        with pytest.raises(StoreUnusable, match=word):
            await world.store.write(fail)
        assert word in world.found()["store-unwritable"]
        await world.store.write(lambda db: db.execute("SELECT 1"))
        assert world.found() == {}


class Link:
    """An endpoint that answers what a test says."""

    name = "rpc.example"

    def __init__(self, **answers: object) -> None:
        self.answers = answers

    async def ask(self, method: str, _params: object) -> dict[str, Any]:
        answer = self.answers.get(method)
        if isinstance(answer, Exception):
            raise answer
        return {"result": answer}


CHAIN = hex(NETWORK.chain_id)
LOOKS = [
    ({"eth_chainId": CHAIN, "eth_getCode": "0x60"}, None, False),
    ({"eth_chainId": CHAIN, "eth_getCode": "0x"}, "no code", True),
    ({"eth_chainId": "0x1", "eth_getCode": "0x60"}, "is of chain 1", True),
    ({"eth_chainId": ChainUnreachable("down")}, None, False),
    ({"eth_chainId": "words"}, None, False),
    ({"eth_chainId": CHAIN, "eth_getCode": None}, None, False),
]


@pytest.mark.parametrize(("answers", "wrong", "is_silent"), LOOKS)
async def test_chain_and_registry_are_looked_up(
    answers: dict[str, object], wrong: str | None, is_silent: bool
) -> None:
    freshness, alarms = Freshness([]), Alarms()
    freshness.ask_registry()
    freshness.chain_read(NOW, ChainHead(ChainPoint(1, bytes(32)), NOW))
    assert freshness.view(NOW, 60).silence is Silence.REGISTRY  # until it was asked
    watch = RegistryWatch(lambda: [Link(**answers)], NETWORK, freshness, alarms)  # type: ignore[list-item]
    await watch.look()
    assert (freshness.view(NOW, 60).silence is Silence.REGISTRY) == is_silent
    assert (wrong or "") in alarms.active().get("registry-missing", "")
    assert bool(wrong) == ("registry-missing" in alarms.active())


async def test_a_whole_node_says_why_and_is_ready_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry_watch, "REGISTRY_EVERY_S", 0.01)
    monkeypatch.setattr("sayso_node.readiness.READINESS_EVERY_S", 0.01)
    clock, chain = ManualClock(), FakeChain()
    async with running_node(tmp_path, clock=clock, chain=chain) as node:
        await until_ready(node, ready=True)
        clock.time += 86_400
        body = await until_ready(node, ready=False)
        codes = [one["code"] for one in body["reasons"]]
        assert codes[0] in {"clock-wrong", "chain-frozen"}
        chain.time = clock.time
        chain.mine()
        await until_ready(node, ready=True)
        await node.submit(consent(1, sponsor=None))


async def until_ready(node: Any, *, ready: bool) -> Any:
    body: Any = None

    async def asked() -> bool:
        nonlocal body
        _, body = await node.get("/readyz")
        return bool(body["ready"] is ready)

    for _ in range(500):
        if await asked():
            return body
        await asyncio.sleep(0.01)
    raise AssertionError(body)
