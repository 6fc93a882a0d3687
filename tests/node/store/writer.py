"""A program that writes to a store until it is killed: `python writer.py STORE FIRST [hold]`.

Many writers at once; each prints a number after, and only after, the store said that it is kept.
"""

import asyncio
import itertools
import sys
from functools import partial

from sayso_node.store.interface import Store, Writing
from sayso_node.store.messages import Message, insert
from sayso_node.store.opening import store_at

WRITERS = 20


def both(value: int, db: Writing) -> None:
    """Two rows that belong together, and a body, so that a change spans pages."""
    db.execute("INSERT INTO numbers VALUES (?, ?)", (f"n{value}", value))
    insert(db, Message(value.to_bytes(32), 1, b"", bytes(6_000)), 0)


async def write(store: Store, values: "itertools.count[int]") -> None:
    for value in values:
        await store.write(partial(both, value))
        sys.stdout.write(f"{value}\n")
        sys.stdout.flush()


async def main(location: str, first: int, *hold: str) -> None:
    store = store_at(location)
    if hold:
        store.hold()
    store.start()
    values = itertools.count(first)
    await asyncio.gather(*(write(store, values) for _ in range(WRITERS)))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), *sys.argv[3:]))
