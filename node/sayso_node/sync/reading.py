"""Answers sync requests from the store, and counts the cost of each.

The cost is counted in entries read, about two microseconds each. A search without a result costs as
well, because each node of the tree needs a search in an index.
"""

from collections.abc import Sequence
from itertools import zip_longest

from sayso_node.store import messages
from sayso_node.store.interface import Reading, Store
from sayso_node.store.sync import entries as sync_entries
from sayso_node.store.sync import index as sync_index
from sayso_protocol.sync import answers
from sayso_protocol.sync.answers import (
    BUNDLE_BYTES,
    CHECKED_AT_MOST,
    LISTED,
    LISTED_IN_ALL,
    Listed,
    split_ids,
)
from sayso_protocol.sync.fingerprints import Entry, Sum, cell, check_of, fingerprint, short_id
from sayso_protocol.sync.requests import (
    CellsRequest,
    CheckRequest,
    FingerprintsRequest,
    GetRequest,
    ListRequest,
    RangeRequest,
)
from sayso_protocol.sync.sets import kinds_in

RANGE_MESSAGES = 1_024  # messages in an answer
_SEARCH = 4  # a search in an index costs as much as reading so many entries
_COUNTED = 32  # so many entries are counted in the time in which one is read

StoreRequest = (
    FingerprintsRequest | ListRequest | GetRequest | RangeRequest | CheckRequest | CellsRequest
)


class Reader:
    """Answers one request from the store and counts its cost in entries read."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.cost = 0.0

    def answer(self, request: StoreRequest) -> bytes:
        """Return the bytes of the answer, all from one state of the store."""
        with self._store.read() as db:
            return self._answer(db, request)

    def _answer(self, db: Reading, request: StoreRequest) -> bytes:
        match request:
            case FingerprintsRequest():
                return self._fingerprints(db, request)
            case CellsRequest(kind, nodes):
                found = zip(nodes, self._sums(db, kind, nodes, 0), strict=True)
                return answers.encode_cells([cell(*one) for one in found])
            case ListRequest():
                return self._lists(db, request)
            case GetRequest():
                return self._messages(db, self._wanted(db, request))
            case RangeRequest(kind, node, after):
                self.cost += _SEARCH * len(kinds_in(kind))
                digests = sync_entries.first_in(db, kind, node, after, RANGE_MESSAGES)
                return self._messages(db, digests)
            case CheckRequest(kind, salt, node):
                few = self._count(db, kind, node, CHECKED_AT_MOST) <= CHECKED_AT_MOST
                ids = (one.id for one in self._in(db, kind, node)) if few else ()
                return answers.encode_check(check_of(salt, ids) if few else None)

    def _fingerprints(self, db: Reading, request: FingerprintsRequest) -> bytes:
        sums = self._sums(db, request.kind, request.nodes, request.step)
        return answers.encode_fingerprints([fingerprint(request.salt, one) for one in sums])

    def _sums(self, db: Reading, kind: int, nodes: Sequence[int], step: int) -> list[Sum]:
        sums, read = sync_index.summed(db, kind, nodes, step)
        self.cost += _SEARCH * len(nodes) + len(sums) + read
        return sums

    def _lists(self, db: Reading, request: ListRequest) -> bytes:
        lists: list[list[Listed] | None] = []
        listed = 0
        for node in request.nodes:
            count = self._count(db, request.kind, node, LISTED)
            if listed and listed + count > LISTED_IN_ALL:
                break
            few = count <= LISTED
            entries = self._in(db, request.kind, node) if few else None
            listed += len(entries or ())
            lists.append(None if entries is None else [_listed(request.salt, one) for one in entries])
        return answers.encode_lists(request.kind, lists)

    def _wanted(self, db: Reading, request: GetRequest) -> list[bytes]:
        """Return the digests of requested messages, without those that are not stored."""
        found: dict[bytes, None] = {}
        for node, ids in zip_longest(request.nodes, request.ids):
            if self._count(db, request.kind, node, LISTED) > LISTED:
                continue  # it was never listed
            names = [one for entry in self._in(db, request.kind, node) for one in entry.carriers]
            if ids is not None:
                wanted = set(split_ids(ids))
                names = [one for one in names if short_id(request.salt, one) in wanted]
            found.update(dict.fromkeys(names))
            if len(found) >= RANGE_MESSAGES:
                break
        return list(found)

    def _messages(self, db: Reading, digests: Sequence[bytes]) -> bytes:
        """Return as many messages as fit, at least the first."""
        given: list[bytes] = []
        size = 0
        for body in messages.bodies(db, digests):
            size += len(body) + 8
            if given and (size > BUNDLE_BYTES or len(given) == RANGE_MESSAGES):
                break
            given.append(body)
        self.cost += len(given)
        return answers.encode_messages(given)

    def _count(self, db: Reading, kind: int, node: int, most: int) -> int:
        count = sync_entries.count(db, kind, node, most)
        self.cost += _SEARCH + count / _COUNTED
        return count

    def _in(self, db: Reading, kind: int, node: int) -> list[Entry]:
        entries = sync_entries.entries(db, kind, node)
        self.cost += _SEARCH + sum(len(one.carriers) for one in entries)
        return entries


def _listed(salt: bytes, entry: Entry) -> Listed:
    return Listed(short_id(salt, entry.id), tuple(short_id(salt, one) for one in entry.carriers))
