"""A store that is filled in one change, for tests and figures that need a large one."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from sayso_node.store.interface import Writing
from sayso_node.store.opening import store_at
from sayso_node.store.revocations.bits import SIGNED, merge_bits
from sayso_protocol.messages.message import CONSENT
from sayso_protocol.permissions.scopes import SCOPE_FLAG
from sayso_protocol.primitives import sha256
from support.rebuilding import rebuild


def change_store(location: str | Path, change: Callable[[Writing], None]) -> None:
    """Open a store or make it, change it and close it; not within an event loop."""
    store = store_at(location)
    store.start()
    try:
        asyncio.run(store.write(change))
        asyncio.run(store.write(rebuild))  # what is written past the door has no checksums yet
    finally:
        store.stop()


def add_revoked(db: Writing, people: int, large: bytes | None = None) -> None:
    """So many people with a license and a revoked permission each, and perhaps one person with as many.

    The rows are as an intake would have written them, except that messages have no body.
    """
    names = [sha256(b"person %d" % number) for number in range(people)]
    for contributors in ([name[:20] for name in names], [large] * people if large else []):
        kind = b"large" if large in contributors else b"own"
        bases = [_base(kind + name) for name in names]
        licenses = [sha256(kind + b" license" + name) for name in names]
        columns = "(digest, kind, contributor, body, arrived_at)"
        messages = zip(licenses, contributors, strict=False)
        rows = [(digest, CONSENT, who, b"", 0) for digest, who in messages]
        db.executemany(f"INSERT INTO messages {columns} VALUES (?, ?, ?, ?, ?)", rows)
        db.executemany(
            "INSERT INTO people (address, unsure) VALUES (?, 0) ON CONFLICT DO NOTHING",
            [(who,) for who in contributors],
        )
        places = list(zip(contributors, bases, strict=False))
        db.executemany("INSERT INTO terms (address, base, permissions) VALUES (?, ?, 2)", places)
        db.executemany(
            "INSERT INTO bits (address, word, signed, chain) VALUES (?, ?, ?, ?)",
            [(*place, (1).to_bytes(32), bytes(32)) for place in places],
        )
        db.executemany(
            "INSERT INTO events (address, word, mask, source, time) VALUES (?, ?, ?, 'signed', 0)",
            [(*place, (1).to_bytes(32)) for place in places],
        )
    rebuild(db)


def add_news(db: Writing, people: int, count: int) -> None:
    """Another scope by so many of the people of add_revoked, or of all."""
    for number in range(0, people, max(1, people // count)):
        who = sha256(b"person %d" % number)[:20]
        merge_bits(db, who, {SCOPE_FLAG | number + 1: 1}, source=SIGNED, now=1.0)


def _base(seed: bytes) -> bytes:
    """The first word of a license: 248 bits, of which the highest and the low six are 0."""
    drawn = bytearray(b"\0" + sha256(seed)[:31])
    drawn[1] &= 0x7F
    drawn[31] &= 0xC0
    return bytes(drawn)
