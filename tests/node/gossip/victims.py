"""A victim and an honest peer, and what shows that an attack cost the victim nothing."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from node.gossip.harness import CONSENTS, SYNC, Network, Peer, meshed
from support.waiting import until

MIB = 1024 * 1024
MOST_MEGABYTES = 300  # an idle child has about 90
TRANSPORTS = {"tcp": "/ip4/127.0.0.1/tcp/0", "websocket": "/ip4/127.0.0.1/tcp/0/ws"}


@asynccontextmanager
async def victim_and_honest(transport: str, **settings: Any) -> AsyncIterator[tuple[Peer, Peer]]:
    """Two peers for a whole module: nothing there may hurt them."""
    network = Network()
    try:
        listen = (TRANSPORTS[transport],)
        victim = await network.peer(1, listen=listen, probe_every_s=1.0, probe_s=60.0, **settings)
        honest = await network.peer(2, victim, listen=listen)
        await meshed(victim, honest)
        yield victim, honest
    finally:
        await network.close()


async def hears(listener: Peer, speaker: Peer) -> None:
    """One of the speaker's frames arrives; a single one may be dropped behind the rest of a flood."""
    frames: set[bytes] = set()

    async def arrived() -> bool:
        frames.add(frame := os.urandom(16))
        await speaker.gossip.publish(CONSENTS, frame)
        return any(heard in frames for _, heard, _ in listener.frames)

    await until(arrived)


async def works(victim: Peer, honest: Peer) -> None:
    """The victim hears, is heard, answers and asks."""
    await hears(victim, honest)
    await hears(honest, victim)
    assert await honest.gossip.request(victim.id, SYNC, b"abc", 30.0) == b"cba"
    assert await victim.gossip.request(honest.id, SYNC, b"abc", 30.0) == b"cba"


async def address_of(victim: Peer) -> str:
    (address,) = await victim.gossip.listen_addresses()
    return address


async def port_of(victim: Peer) -> int:
    return int((await address_of(victim)).split("/")[4])


def megabytes(pid: int) -> int:
    """Resident memory of a process."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE") // MIB
