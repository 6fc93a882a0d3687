"""Stores the peers that were met in a small file, so that they are known after a restart.

The file has only peers that the gossip process verified; a compromised child can at most fill it. It may
be lost, because the listed peers can name others again.
"""

import contextlib
import json
from pathlib import Path

from sayso_node.errors import InvalidNodeConfig
from sayso_node.folder.files import read_small
from sayso_node.gossip.peers.address_manager import MOST_MET
from sayso_node.gossip.peers.network_groups import parse_told
from sayso_node.supervision.logs import logger
from sayso_protocol.encoding.json_text import parse_json
from sayso_protocol.errors import Malformed

_log = logger(__name__)


class PeerStore:
    """PeerStore is the file; open() before use, close() after. Disk errors are logged, not raised."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._met: dict[str, str] = {}  # address by peer id, the latest met last

    def open(self) -> None:
        """Read the file; an unreadable one is replaced."""
        try:
            for address in parse_json(read_small(self._path).data):
                self._enter(str(address))
        except FileNotFoundError:
            return
        except (OSError, Malformed, TypeError) as error:
            _log.warning("peers-replaced", file=self._path, error=error)

    def close(self) -> None:
        """Close the file."""
        self._met.clear()

    def addresses(self) -> tuple[str, ...]:
        """Return all addresses, the latest met first."""
        return tuple(reversed(self._met.values()))

    def met(self, address: str) -> None:
        """Store an address; when the file is full, the address met longest ago is removed."""
        if address != next(reversed(self._met.values()), None) and self._enter(address):
            self._write()

    def lost(self, address: str) -> None:
        """Remove an address."""
        left = {peer: one for peer, one in self._met.items() if one != address}
        if len(left) < len(self._met):
            self._met = left
            self._write()

    def _enter(self, address: str) -> bool:
        """Add an address; returns whether it is valid."""
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
            _log.warning("peers-unwritten", error=error)
            with contextlib.suppress(OSError):
                partial.unlink()
