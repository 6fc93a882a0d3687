"""The bill of a sync request: what it is charged before the work, by what it asks for.

The amount is corrected after the work. It is an estimate with a cap: without the charge a peer could ask
many times at once, and with a higher one a few questions would use up the share of all strangers.
"""

from typing import Final

from sayso_protocol.sync.requests import (
    CellsRequest,
    CheckRequest,
    FingerprintsRequest,
    GetRequest,
    HeedRequest,
    ListRequest,
    OfferRequest,
    RangeRequest,
    Request,
)

COST_OF_QUESTION: Final = 256  # in entries read: a stream, and a way through two processes
COST_OF_MALFORMED: Final = 8_192  # beyond its bytes: no node of ours sends one
COST_OF_OFFERED: Final = 256  # verifying a signature costs as much as reading so many entries
BYTES: Final = 256  # bytes sent or received that cost as much as an entry
ASKED_AT_MOST: Final = 16_384
_NODE: Final = 8  # two searches in an index
_CELL_SEARCHES: Final = 8
_LISTED: Final = 64  # entries that an honest peer expects in a node that it wants listed


def cost_of_bytes(data: bytes) -> float:
    """Return what receiving or sending these bytes costs, in entries read."""
    return len(data) / BYTES


def cost_asked(request: Request) -> float:
    """Return what a request may cost beyond its bytes, in entries read, at most ASKED_AT_MOST."""
    match request:
        case OfferRequest(envelopes):
            return COST_OF_OFFERED * len(envelopes)  # as many as were paid for with bytes
        case FingerprintsRequest(nodes=nodes, step=step):
            cost = len(nodes) * (_NODE + (1 << step))
        case CellsRequest(nodes=nodes):
            cost = len(nodes) * (_NODE + _CELL_SEARCHES)
        case ListRequest(nodes=nodes) | GetRequest(nodes=nodes):
            cost = len(nodes) * (_NODE + _LISTED)
        case RangeRequest() | CheckRequest():
            cost = ASKED_AT_MOST
        case HeedRequest():
            cost = 0  # nothing is read, and every question costs something
    return min(cost, ASKED_AT_MOST)
