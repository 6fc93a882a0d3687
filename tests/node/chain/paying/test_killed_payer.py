"""`kill -9` around every signing, sending and recording: no double send, no loss."""

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from node.chain.anvil_world import PayingNode, Registry
from node.chain.paying.test_on_anvil import EVERYTHING, Person, known
from sayso_node.store.chain import chain_state
from support.anvil import REPOSITORY, anvil
from support.waiting import DEADLINE_S


def run(folder: Path, url: str, registry: Registry, moments: int) -> subprocess.CompletedProcess[str]:
    place = "0x" + registry.network.registry.hex()
    roots = [str(REPOSITORY / name) for name in ("protocol", "contracts", "node", "cli", "tests")]
    return subprocess.run(
        [sys.executable, "-m", "node.chain.paying.mortal_payer", str(folder), url, place, str(moments)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(roots)},
        timeout=DEADLINE_S,
        capture_output=True,
        text=True,
        check=False,
    )


async def more(folder: Path, url: str, registry: Registry, people: list[Person]) -> None:
    """Give the node something to anchor and to relay."""
    async with PayingNode(folder, [url], registry.network) as paying:
        paying.rig.intake._network = registry.network
        await known(paying, people, own=True)
        await paying.promise(*(one.revocation() for one in people))


@pytest.mark.timeout(900)
@pytest.mark.parametrize("points", [1, pytest.param(50, marks=pytest.mark.long)])
async def test_killed_at_many_points(tmp_path: Path, points: int) -> None:
    draw = random.Random(1271)
    killed, people = 0, list[Person]()
    with anvil() as url:
        registry = Registry(url)
        while killed < points:
            fresh = [Person(len(people) + number, registry) for number in range(2)]
            people += fresh
            await more(tmp_path, url, registry, fresh)
            for _ in range(4):
                ended = run(tmp_path, url, registry, draw.randint(1, 16))
                killed += ended.returncode == -9
                assert ended.returncode in {-9, 0}, ended.stderr
        ended = run(tmp_path, url, registry, 0)
        assert "done" in ended.stdout, ended.stderr
        for person in people:
            assert registry.bits(person.address, [EVERYTHING]) == [1]
        async with PayingNode(tmp_path, [url], registry.network) as paying:
            with paying.rig.store.read() as db:
                [(done, made)] = db.execute("SELECT sum(state = 'done'), count(*) FROM intents")
                [(items, different)] = db.execute(
                    "SELECT count(*), count(DISTINCT digest) FROM relay_items"
                )
                anchors = [chain_state.anchor_of(db, one.consent.digest) for one in people]
        nonce = registry.w3.eth.get_transaction_count(next(iter(registry.w3.eth.accounts)))
        assert done == made == nonce  # every intent took effect, and nothing else was paid for
        assert items == different == len(people)
        assert all(anchors)
