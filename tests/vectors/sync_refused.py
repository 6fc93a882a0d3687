"""Requests of sync that a responder refuses, and their accepted neighbours (rules 11.1 to 11.13)."""

from typing import Any

from sayso_protocol.encoding.packing import pack
from sayso_protocol.errors import SaysoError
from sayso_protocol.primitives import hex_text
from sayso_protocol.sync.fingerprints import pack_nodes
from sayso_protocol.sync.requests import decode_request

SALT = bytes(range(16))
ROOT = pack_nodes([1])
SUMS, LIST, GET, RANGE, CHECK, OFFER, CELLS = range(1, 8)
SHORT = bytes(5)


def _nodes() -> dict[str, bytes]:
    """Rules 11.3.1 to 11.3.3, in a list."""
    several = {
        "no nodes": b"",
        "node 0": b"\0",
        "a node twice": b"\2\0",
        "a node in a longer form": b"\x81\0",
        "a node that is cut short": b"\x81",
        "a second node that is cut short": b"\2\x81",
        "nodes of two levels": pack_nodes([2, 4]),
        "the first and the last node of two levels": pack_nodes([3, 4]),
        "a node of level 63": pack_nodes([1 << 63]),
        "the last node of level 63": pack_nodes([(1 << 64) - 1]),
        "a node of level 64": b"\x80" * 9 + b"\2",
        "a node of ten groups and more": b"\x80" * 10 + b"\1",
        "1,024 nodes": pack_nodes(range(1_024, 2_048)),
        "1,025 nodes": pack_nodes(range(2_048, 3_073)),
    }
    return {name: pack([LIST, 1, SALT, nodes]) for name, nodes in several.items()}


def _numbers() -> dict[str, bytes]:
    """Limits of numbers, kinds and lengths."""
    deep = pack_nodes([1 << 60])
    return {
        "request 0": pack([0, 1, SALT, ROOT]),
        "request 8": pack([8, 1, SALT, ROOT]),
        "a request of nothing": pack([]),
        "no array": b"\1",
        "no bytes": b"",
        "kind 0": pack([LIST, 0, SALT, ROOT]),
        "kind 3": pack([LIST, 3, SALT, ROOT]),
        "kind 4": pack([LIST, 4, SALT, ROOT]),
        "a salt of 15 bytes": pack([LIST, 1, SALT[1:], ROOT]),
        "a salt of 17 bytes": pack([LIST, 1, SALT + b"\0", ROOT]),
        "a field more": pack([LIST, 1, SALT, ROOT, 0]),
        "a field less": pack([LIST, 1, SALT]),
        "text for nodes": pack([LIST, 1, SALT, "\1"]),
        "a kind in a longer form": pack([LIST, 1, SALT, ROOT]).replace(b"\2\1", b"\2\xcc\1", 1),
        "something behind it": pack([LIST, 1, SALT, ROOT]) + b"\xc0",
        "a step of 0": pack([SUMS, 1, SALT, 0, ROOT]),
        "a step of 1": pack([SUMS, 1, SALT, 1, ROOT]),
        "a step of 4": pack([SUMS, 1, SALT, 4, ROOT]),
        "a step of 5": pack([SUMS, 1, SALT, 5, ROOT]),
        "a step to level 63": pack([SUMS, 1, SALT, 3, deep]),
        "a step to level 64": pack([SUMS, 1, SALT, 4, deep]),
        "cells of level 23": pack([CELLS, 1, pack_nodes([1 << 23])]),
        "cells of level 24": pack([CELLS, 1, pack_nodes([1 << 24])]),
        "cells of revocations": pack([CELLS, 2, ROOT]),
        "cells of statements": pack([CELLS, 3, ROOT]),
        "check of node 0": pack([CHECK, 1, SALT, 0]),
        "check of node 2^64 - 1": pack([CHECK, 1, SALT, (1 << 64) - 1]),
        "check of nodes as bytes": pack([CHECK, 1, SALT, ROOT]),
    }


def _messages() -> dict[str, bytes]:
    """What is requested or offered."""
    one = pack_nodes([1])
    return {
        "range of revocations": pack([RANGE, 2, 1, b""]),
        "range of statements": pack([RANGE, 3, 1, b""]),
        "range of node 0": pack([RANGE, 1, 0, b""]),
        "range after 31 bytes": pack([RANGE, 1, 1, bytes(31)]),
        "range after 33 bytes": pack([RANGE, 1, 1, bytes(33)]),
        "range after nil": pack([RANGE, 1, 1, None]),
        "range without kind": pack([RANGE, 1, b""]),
        "an offer of nothing": pack([OFFER, []]),
        "an offer of a message": pack([OFFER, [b"\0"]]),
        "an offer of text": pack([OFFER, ["message"]]),
        "an offer of 1,024 messages": pack([OFFER, [b""] * 1_024]),
        "an offer of 1,025 messages": pack([OFFER, [b""] * 1_025]),
        "get, 4 bytes for a short id": pack([GET, 1, SALT, one, [SHORT[1:]]]),
        "get, 6 bytes for a short id": pack([GET, 1, SALT, one, [SHORT + b"\0"]]),
        "get, no short id for a node": pack([GET, 1, SALT, one, [b""]]),
        "get, short ids for two of one node": pack([GET, 1, SALT, one, [SHORT, SHORT]]),
        "get, short ids for one of two nodes": pack([GET, 1, SALT, pack_nodes([2, 3]), [SHORT]]),
        "get, 1,024 messages": pack([GET, 1, SALT, one, [SHORT * 1_024]]),
        "get, 1,025 messages": pack([GET, 1, SALT, one, [SHORT * 1_025]]),
        "get, 1,025 messages in two nodes": pack(
            [GET, 1, SALT, pack_nodes([2, 3]), [SHORT * 1_024, SHORT]]
        ),
    }


def requests() -> list[dict[str, Any]]:
    """Requests with the code of the refusal, or null for what is answered."""
    found = []
    for name, request in (_nodes() | _numbers() | _messages()).items():
        code = None
        try:
            decode_request(request)
        except SaysoError as error:
            code = error.code
        found.append({"name": name, "request": hex_text(request), "code": code})
    return found
