"""Audits a store in a process of its own, so that the node is not delayed.

It reads an AuditOrder from standard input and prints the findings, both as JSON. It has no key and
changes nothing.
"""

import os
import sys
from dataclasses import dataclass

import msgspec

from sayso_node.errors import StoreDamaged
from sayso_node.store.integrity.audit import Damaged, Finding, audit
from sayso_node.store.opening import snapshot_at
from sayso_protocol.network import Network

_NICE = 10  # answering requests has priority


@dataclass(frozen=True)
class AuditOrder:
    """What to audit: the location of a store, and the network of its messages."""

    store: str
    network: Network


def verify(order: AuditOrder) -> list[Finding]:
    """Return what is damaged; raises StoreUnusable when the store cannot be opened."""
    try:
        with snapshot_at(order.store) as db:
            return audit(db, order.network)
    except StoreDamaged as error:  # so badly that it cannot be read to the end
        return [Finding(Damaged.PAGES, "", str(error))]


def main() -> None:
    """Run the process."""
    os.nice(_NICE)
    order = msgspec.json.decode(sys.stdin.buffer.read(), type=AuditOrder)
    sys.stdout.buffer.write(msgspec.json.encode(verify(order)))


if __name__ == "__main__":
    main()
