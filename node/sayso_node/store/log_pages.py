"""The messages of a store in the order of arrival, page by page, as `sayso node export` writes them.

First those that are kept, then revocations and statements that wait without a promise. Of erased
consents and ended statements there is nothing left to give.
"""

from collections.abc import Iterator
from typing import Final

from sayso_node.store.interface import Reading
from sayso_node.store.messages import ERASED

_TABLES: Final = {"messages": f" AND kind > {ERASED}", "pending": "", "waiting": ""}


def log_pages(db: Reading, size: int) -> Iterator[list[bytes]]:
    """Yield the envelopes of all messages, at most `size` at a time."""
    for table, which in _TABLES.items():
        seq = 0
        query = f"SELECT seq, body FROM {table} WHERE seq > ?{which} ORDER BY seq LIMIT ?"  # noqa: S608
        while rows := db.execute(query, (seq, size)).fetchall():
            yield [bytes(body) for _, body in rows]
            seq = rows[-1][0]
