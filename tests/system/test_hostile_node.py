"""A whole node under attack by strangers: it answers HTTP throughout, and keeps what it is given."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from node.api.process import NodeProcess, node_process, watched
from node.gossip import hostile, hostile_layers
from sayso_protocol.messages.envelope import Envelope, encode
from sayso_protocol.messages.message import CONSENT
from sayso_protocol.messages.wire import TOPICS, encode_bundle
from sayso_protocol.primitives import hex_text
from support.node_rig import consent
from support.protocol_strategies import NETWORK
from support.waiting import until

STRANGERS = 1_000
ATTACKS = {
    **{attack.__name__: attack for attack, _ in hostile.PACKETS + hostile.STREAMS},
    **hostile_layers.REQUESTS,
}


@asynccontextmanager
async def attacked(folder: Path) -> AsyncIterator[tuple[NodeProcess, str]]:
    """A node and where strangers reach it; its gossip process is the same one to the end."""
    with node_process(folder) as node:
        about = node.get("/v1/node")[1]
        with watched(node):
            yield node, f"{about['listen'][0]}/p2p/{about['peer_id']}"
            assert is_held(node, give(node, consent(1)))
        assert node.get("/v1/node")[1]["counters"].get("restarts", 0) == 0


def give(node: NodeProcess, envelope: Envelope) -> Envelope:
    """Hand a consent in."""
    body = encode_bundle([encode(envelope)])
    head = f"POST /v1/messages HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n"
    assert b" 200 " in node.send(f"{head}Content-Type: application/msgpack\r\n\r\n".encode() + body)
    return envelope


def is_held(node: NodeProcess, envelope: Envelope) -> bool:
    """Whether it can be looked up."""
    return node.get(f"/v1/licenses/{hex_text(envelope.digest)}")[0] == 200


def say(connection: socket.socket, parts: list[bytes]) -> None:
    """Send them one by one; being hung up on is a fine end."""
    with contextlib.suppress(OSError):
        for part in parts:
            connection.sendall(part)


def port_of(address: str) -> int:
    """The TCP port of a multiaddress."""
    return int(address.split("/")[4])


async def test_a_wrong_signature_under_somebodys_digest(tmp_path: Path) -> None:
    """Who sees a consent before we do may send it on with another signature: it still comes in."""
    mine = consent(7)
    forged = replace(mine, signature=bytes([mine.signature[0] ^ 1]) + mine.signature[1:])
    assert forged.digest == mine.digest

    async def send(attacker: hostile.Attacker) -> None:
        frame = encode_bundle([encode(forged)])
        message = attacker.message(frame, TOPICS[CONSENT].on(NETWORK))
        await attacker.send(hostile.publish(message))

    async with attacked(tmp_path) as (node, address):

        def refused() -> bool:
            counters: dict[str, int] = node.get("/v1/node")[1]["counters"]
            return counters["intake_refused"] > 0

        async with hostile.attacking(address, send):
            await until(refused)
        assert not is_held(node, mine)
        assert is_held(node, give(node, mine))


@pytest.mark.long
@pytest.mark.timeout(900)
async def test_every_attack_one_after_the_other(tmp_path: Path) -> None:
    async with attacked(tmp_path) as (_, address):
        for attack in ATTACKS.values():
            async with hostile.attacking(address, attack):
                pass
        for parts in hostile_layers.BYTES.values():
            with hostile.tcp(port_of(address)) as connection:
                await asyncio.to_thread(say, connection, parts)


@pytest.mark.long
@pytest.mark.timeout(900)
async def test_a_thousand_strangers_one_after_the_other(tmp_path: Path) -> None:
    """Each has a place of his own, and leaves it."""
    is_let_in = False

    async def knock(_attacker: hostile.Attacker) -> None:
        nonlocal is_let_in
        is_let_in = True

    def come_and_go(port: int, parts: list[bytes]) -> None:
        for _ in range(STRANGERS):
            with hostile.tcp(port, source="127.0.0.3") as connection:
                say(connection, parts)

    async with attacked(tmp_path) as (_, address):
        hello = hostile_layers.BYTES["nothing but a hello"]
        await asyncio.to_thread(come_and_go, port_of(address), hello)
        async with hostile.attacking(address, knock):
            assert is_let_in
