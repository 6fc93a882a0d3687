"""The peers that were met, kept over restarts: a small file beside the store, written whole each time.

Only what the gossip process verified is in it; a child that was taken over can at most fill it. It may
be lost: the listed peers are asked anew.
"""

import contextlib
import json
import logging
from pathlib import Path

from sayso_node.errors import InvalidNodeConfig
from sayso_node.gossip.peers.address_manager import MOST_MET
from sayso_node.gossip.peers.network_groups import parse_told

_log = logging.getLogger(__name__)


class PeerStore:
    """PeerStore keeps them; open() before use, close() after. No method raises for a disk that fails."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._met: dict[str, str] = {}  # address by peer id, the latest met last

    def open(self) -> None:
        """Open the book; one that cannot be read is begun anew."""
        try:
            for address in json.loads(self._path.read_bytes()):
                self._enter(str(address))
        except FileNotFoundError:
            return
        except (OSError, ValueError, TypeError) as error:
            _log.warning("%s is begun anew: %s", self._path, error)

    def close(self) -> None:
        """Close it."""
        self._met.clear()

    def addresses(self) -> tuple[str, ...]:
        """All of them, the latest met first."""
        return tuple(reversed(self._met.values()))

    def met(self, address: str) -> None:
        """Note an address; when the book is full, the one met longest ago leaves it."""
        if address != next(reversed(self._met.values()), None) and self._enter(address):
            self._write()

    def lost(self, address: str) -> None:
        """Forget an address."""
        left = {peer: one for peer, one in self._met.items() if one != address}
        if len(left) < len(self._met):
            self._met = left
            self._write()

    def _enter(self, address: str) -> bool:
        """Whether it is an address at all."""
        try:
            _, peer_id = parse_told(address)
        except InvalidNodeConfig:
            return False
        self._met.pop(peer_id, None)
        self._met[peer_id] = address
        if len(self._met) > MOST_MET:
            del self._met[next(iter(self._met))]
        return True

    def _write(self) -> None:
        partial = self._path.with_suffix(".partial")
        try:
            partial.write_text(json.dumps(list(self._met.values())))
            partial.rename(self._path)
        except OSError as error:
            _log.warning("the book of peers: %s", error)
            with contextlib.suppress(OSError):
                partial.unlink()
