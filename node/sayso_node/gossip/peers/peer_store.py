"""The peers that were met, kept over restarts: a small database beside the store.

Only what the gossip process verified is in it; a child that was taken over can at most fill it. It may
be lost: the listed peers are asked anew.
"""

import contextlib
import logging
import sqlite3
from pathlib import Path

from sayso_node.errors import InvalidNodeConfig
from sayso_node.gossip.peers.address_manager import MOST_MET
from sayso_node.gossip.peers.network_groups import parse_told
from sayso_node.interfaces import Clock

_TABLE = (
    "CREATE TABLE IF NOT EXISTS peers (peer TEXT PRIMARY KEY, address TEXT, met_at REAL) WITHOUT ROWID"
)
_log = logging.getLogger(__name__)


class PeerBook:
    """The book; open() before use, close() after. No method raises for a disk that fails."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self._path = path
        self._clock = clock
        self._db: sqlite3.Connection | None = None

    def open(self) -> None:
        """Open the book; one that cannot be read is begun anew."""
        try:
            self._db = self._connect()
        except sqlite3.DatabaseError as error:
            _log.warning("%s is begun anew: %s", self._path, error)
            with contextlib.suppress(OSError, sqlite3.Error):
                self._path.unlink()
                self._db = self._connect()

    def close(self) -> None:
        """Close it."""
        if self._db:
            self._db.close()
            self._db = None

    def addresses(self) -> tuple[str, ...]:
        """All of them, the latest met first."""
        rows = self._run("SELECT address FROM peers ORDER BY met_at DESC LIMIT ?", MOST_MET)
        return tuple(str(address) for (address,) in rows)

    def met(self, address: str) -> None:
        """Note an address; when the book is full, the one met longest ago leaves it."""
        try:
            _, peer_id = parse_told(address)
        except InvalidNodeConfig:
            return
        self._run("INSERT OR REPLACE INTO peers VALUES (?, ?, ?)", peer_id, address, self._clock.now())
        self._run(
            "DELETE FROM peers WHERE peer IN"
            " (SELECT peer FROM peers ORDER BY met_at DESC, peer LIMIT -1 OFFSET ?)",
            MOST_MET,
        )

    def lost(self, address: str) -> None:
        """Forget an address."""
        self._run("DELETE FROM peers WHERE address = ?", address)

    def _connect(self) -> sqlite3.Connection:
        db = sqlite3.connect(self._path, isolation_level=None)
        try:
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = NORMAL")  # the last entries may be lost with the power
            db.execute(_TABLE)
            db.execute("SELECT peer, address, met_at FROM peers LIMIT 1").fetchall()
        except BaseException:
            db.close()
            raise
        return db

    def _run(self, query: str, *values: object) -> list[tuple[object, ...]]:
        try:
            return self._db.execute(query, values).fetchall() if self._db else []
        except sqlite3.Error as error:
            _log.warning("the book of peers: %s", error)
            return []
