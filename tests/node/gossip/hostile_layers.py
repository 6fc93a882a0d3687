"""Garbage at each layer, from bare TCP up to requests; half-open and slow connections."""

import os
import struct

from node.gossip.hostile import Attack, Attacker, varint
from sayso_protocol.encoding.packing import pack

_SYNC, _PEERS = "/sayso/sync/1", "/sayso/peers/1"


def _line(text: bytes) -> bytes:
    """A message of multistream-select."""
    return varint(len(text) + 1) + text + b"\n"


_HELLO = _line(b"/multistream/1.0.0")
_NOISE = _HELLO + _line(b"/noise")

# What is sent over TCP, in these parts, before the connection is left open without another word.
BYTES: dict[str, list[bytes]] = {
    "nothing but a hello": [_HELLO],
    "a hello, byte by byte": [bytes([one]) for one in _HELLO],
    "half a hello": [_HELLO[:7]],
    "a hello of another protocol": [_line(b"/multistream/9.9.9")],
    "a line without end": [varint(200) + b"/" * 50],
    "a line of no bytes": [varint(0) * 1000],
    "a line of a gigabyte": [varint(2**30) + bytes(1000)],
    "a length without end": [b"\xff" * 4096],
    "a line that is no text": [varint(9) + b"\xff" * 9],
    "a list of protocols, asked for again and again": [_HELLO + _line(b"ls") * 500],
    "protocols that nobody speaks": [_HELLO, *(_line(b"/nobody/%d" % n) for n in range(300))],
    "plaintext": [_HELLO + _line(b"/plaintext/2.0.0") + os.urandom(500)],
    "TLS": [b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + os.urandom(500)],
    "SSH": [b"SSH-2.0-OpenSSH_9.9\r\n" + os.urandom(500)],
    "a WebSocket": [b"GET / HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"],
    "noise of no bytes": [_NOISE + bytes(2)],
    "noise that never comes": [_NOISE],
    "noise that is random": [_NOISE + (200).to_bytes(2) + os.urandom(200)],
    "noise, announced and not sent": [_NOISE + b"\xff\xff"],
    "noise with a key of zeros": [
        _NOISE + (32).to_bytes(2) + bytes(32) + (200).to_bytes(2) + bytes(200)
    ],
    "noise, then random bytes": [_NOISE + (32).to_bytes(2) + os.urandom(32) + os.urandom(70_000)],
}


def _request(protocol: str, body: bytes) -> Attack:
    async def attack(attacker: Attacker) -> None:
        stream = await attacker.stream(protocol)
        await stream.write(varint(len(body)) + body)

    return attack


def _raw(protocol: str, data: bytes) -> Attack:
    async def attack(attacker: Attacker) -> None:
        await (await attacker.stream(protocol)).write(data)

    return attack


async def _flood(attacker: Attacker) -> None:
    """Data on a stream that is not read, as its answers are not: windows are not waited for."""
    (connection,) = attacker.host.get_network().get_connections(attacker.victim)
    muxer = connection.muxed_conn
    frames = [(1, b""), (0, _HELLO + _line(b"ls") * 2_000), *[(0, bytes(65_536))] * 4_096]
    for flags, body in frames:
        head = struct.pack("!BBHII", 0, 0, flags, 1_001, len(body))
        async with muxer._write_lock:  # type: ignore[attr-defined]
            await muxer.secured_conn.write(head + body)  # type: ignore[attr-defined]


_FORGED = [f"/ip4/127.0.0.1/tcp/{port}/p2p/12D3KooW" for port in range(4)]

# Requests and bytes on a stream that was opened as it should be.
REQUESTS: dict[str, Attack] = {
    "peers: random bytes": _request(_PEERS, os.urandom(500)),
    "peers: too much": _request(_PEERS, bytes(2000)),
    "peers: of another network": _request(_PEERS, pack(["/sayso/1/9/0x00", []])),
    "peers: addresses that are none": _request(_PEERS, pack(["", _FORGED])),
    "peers: too many addresses": _request(_PEERS, pack(["", [""] * 100])),
    "peers: numbers for addresses": _request(_PEERS, pack(["", [1, 2, 3]])),
    "peers: a length in six bytes": _raw(_PEERS, b"\x80" * 5 + b"\x01"),
    "peers: half a question": _raw(_PEERS, varint(500) + b"half"),
    "yamux: more than the windows": _flood,
    "sync: half a length": _raw(_SYNC, b"\x80"),
    "sync: five bytes too large": _raw(_SYNC, varint(4 * 1024 * 1024 + 5)),
    "identify: what nobody asked": _raw("/ipfs/id/1.0.0", os.urandom(5000)),
    "ping: random and short": _raw("/ipfs/ping/1.0.0", os.urandom(7)),
    "gossip: a stream of zeros": _raw("/meshsub/1.1.0", bytes(100_000)),
}
