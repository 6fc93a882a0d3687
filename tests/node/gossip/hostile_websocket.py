"""What a stranger can send to a WebSocket port: before the upgrade, and in frames after it."""

import os
import socket
import zlib
from typing import Any

from node.gossip.hostile import tcp
from support.waiting import DEADLINE_S

HEADERS = {
    "Host": "127.0.0.1",
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Version": "13",
}


def request(first: str = "GET / HTTP/1.1", *, end: bytes = b"\r\n", **headers: Any) -> bytes:
    """A request for an upgrade, with other headers (`Like_This`) or, with None, without some."""
    changed = HEADERS | {name.replace("_", "-"): value for name, value in headers.items()}
    lines = [first, *(f"{name}: {value}" for name, value in changed.items() if value is not None)]
    return "".join(f"{line}\r\n" for line in lines).encode("latin-1") + end


def upgraded(port: int, source: str = "127.0.0.1", **headers: Any) -> socket.socket:
    """A connection whose upgrade was taken."""
    connection = tcp(port, source)
    try:
        connection.sendall(request(**headers))
        answer = connection.recv(4096)
        assert answer.startswith(b"HTTP/1.1 101 "), answer
        assert b"extensions" not in answer.lower()
    except BaseException:
        connection.close()
        raise
    return connection


def frame(
    payload: bytes, kind: int = 2, *, first: int = 0x80, mask: bool = True, length: int | None = None
) -> bytes:
    """A frame, of binary data if nothing else is said; `first` holds FIN and the reserved bits."""
    size = len(payload) if length is None else length
    head = bytes([first | kind])
    if size < 126:
        head += bytes([mask << 7 | size])
    elif size < 2**16:
        head += bytes([mask << 7 | 126]) + size.to_bytes(2)
    else:
        head += bytes([mask << 7 | 127]) + size.to_bytes(8)
    return head + (bytes(4) + payload if mask else payload)  # a mask of zeros


def hung_up_on(connection: socket.socket) -> bool:
    """Whether the other side ended it; what it still says is passed over."""
    connection.settimeout(DEADLINE_S)
    try:
        while connection.recv(65536):
            pass
    except TimeoutError:
        return False
    except OSError:
        return True
    return True


# What is sent before an upgrade came about, in these parts; all of it is hung up on.
UPGRADES: dict[str, list[bytes]] = {
    "random bytes": [os.urandom(2000) + b"\r\n\r\n"],
    "zeros": [bytes(5000)],
    "a hello of libp2p": [b"\x13/multistream/1.0.0\n" * 500],
    "TLS": [b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + os.urandom(500)],
    "no upgrade": [b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"],
    "HTTP/2": [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(1000)],
    "a POST with a body": [request("POST / HTTP/1.1", Content_Length="5") + b"hello"],
    "a body that never comes": [request("POST / HTTP/1.1", Content_Length="9" * 18)],
    "chunks without end": [
        request("POST / HTTP/1.1", Transfer_Encoding="chunked"),
        b"1\r\nx\r\n" * 5000,
    ],
    "no key": [request(Sec_WebSocket_Key=None)],
    "no host": [request(Host=None)],
    "two hosts": [request(host="another")],
    "a host that is no text": [request(Host="\xff\xfe")],
    "a host of many labels": [request(Host="xn--" + "a" * 60 + ".xn--0" * 500)],
    "a version that is none": [request(Sec_WebSocket_Version="8")],
    "an upgrade to something else": [request(Upgrade="h2c")],
    "a path that is no text": [request("GET /\xff HTTP/1.1")],
    "a header that is no text": [request(Sec_WebSocket_Extensions="\xff" * 100)],
    "a name without end": [request(end=b"A" * 20_000)],
    "a header without end": [request(end=b"A: " + b"b" * 20_000)],
    "headers without end": [request(end=b"")] + [b"A%d: b\r\n" % n for n in range(2000)],
    "lines without end": [b"\r\n" * 10_000],
    "a browser": [request(Origin="https://page.example")],
    "a browser without a page": [request(Origin="null")],
}

_BOMB = zlib.compress(bytes(100_000_000), 9)

# Frames after the upgrade; all of it is hung up on.
FRAMES: dict[str, list[bytes]] = {
    "a farewell": [frame(b"\x03\xe8bye", 8)],
    "farewells without end": [frame(b"", 8) * 10_000],
    "a farewell with a status that is none": [frame(b"\x00\x01", 8)],
    "a farewell that is no text": [frame(b"\x03\xe8\xff\xff", 8)],
    "half a status": [frame(b"\x03", 8)],
    "text": [frame(b"hello", 1)],
    "text that is none": [frame(b"\xff\xff", 1)],
    "no mask": [frame(b"hello", mask=False)],
    "a compression bomb": [frame(_BOMB, first=0xC0)],
    "reserved bits": [frame(b"hello", first=0xB0)],
    "a kind of frame that is none": [frame(b"hello", 5)],
    "a kind of control frame that is none": [frame(b"hello", 12)],
    "a large ping": [frame(bytes(126), 9)],
    "a ping in pieces": [frame(b"hello", 9, first=0)],
    "a continuation of nothing": [frame(b"hello", 0)],
    "a message within a message": [frame(b"hello", first=0), frame(b"hello")],
    "a frame of more than can be": [frame(b"hello", length=2**64 - 1)],
    "a long length for a short frame": [b"\x82\xff" + (5).to_bytes(8) + bytes(4) + b"hello"],
    "pings without end": [frame(b"x" * 100, 9) * 1000] * 100,
    "pongs without end": [frame(b"", 10) * 1000] * 100,
    "frames of nothing": [frame(b"") * 1000] * 100,
    "a message of pieces of nothing": [frame(b"", first=0), *[frame(b"", 0, first=0) * 1000] * 100],
    "frames of a byte": [frame(b"x") * 1000] * 100,
    "random bytes": [os.urandom(100_000)],
    "the end of the world, from within": [frame(b"\xff" * 60_000) * 100],
}

# What is waited for, as long as an upgrade may take; then it is hung up on, too.
SLOW_UPGRADES: dict[str, list[bytes]] = {
    "nothing": [],
    "a letter": [b"G"],
    "half a request": [request(end=b"")],
    "an upgrade of HTTP/1.0": [request("GET / HTTP/1.0")],
    "an upgrade with a header of several lines": [request(X="a\r\n b\r\n\tc")],
    "an upgrade and what must come after the answer": [request() + frame(b"\x13/multistream/1.0.0\n")],
}
SLOW_FRAMES: dict[str, list[bytes]] = {
    "nothing": [],
    "what is not libp2p": [frame(os.urandom(5000))],
    "half a head": [b"\x82"],
    "a frame that never comes": [frame(b"", length=2**62)],
    "a large frame, begun": [frame(b"\x13/multistream/1.0.0\n", length=2**62)],
    "a hello, byte by byte": [frame(bytes([one])) for one in b"\x13/multistream/1.0.0\n"],
    "a hello between pings": [frame(b"x", 9), frame(b"\x13/multistream/1.0.0\n"), frame(b"x", 9)],
}
