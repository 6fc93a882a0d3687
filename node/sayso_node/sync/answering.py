"""The answering half of sync: nothing is remembered of who asks, but how much work he has cost.

What an answer costs is counted in entries that were read. Who has used up his share is refused until
it has grown again, so that no peer's questions cost more than its share, however they are put.
"""

from collections.abc import Iterable, Sequence
from functools import partial

from sayso_node.errors import NodeBusy
from sayso_node.intake import Intake
from sayso_node.interfaces import Clock
from sayso_node.outcome import Channel, Outcome, Source, Status
from sayso_node.store import messages, sync_index
from sayso_node.store.engine import Engine
from sayso_node.sync.shares import Shares
from sayso_node.workers import Runner, in_thread
from sayso_protocol import reconcile_answers as answers
from sayso_protocol.fingerprints import Entry, check_of, fingerprint, short_id
from sayso_protocol.messages import Consent
from sayso_protocol.reconcile import (
    CheckRequest,
    FingerprintsRequest,
    GetRequest,
    ListRequest,
    OfferRequest,
    RangeRequest,
    decode_request,
)
from sayso_protocol.reconcile_answers import (
    BUNDLE_BYTES,
    CHECKED_AT_MOST,
    DECLINED,
    LISTED,
    LISTED_IN_ALL,
    TAKEN,
    Listed,
    split_ids,
)

RANGE_MESSAGES = 1_024  # in an answer
_COST_OF_OFFERED = 256  # a signature costs what reading so many entries does

Reading = FingerprintsRequest | ListRequest | GetRequest | RangeRequest | CheckRequest


class Answering:
    """Answers the sync requests of all peers."""

    def __init__(
        self,
        store: Engine,
        intake: Intake,
        clock: Clock,
        known: Iterable[str],
        runner: Runner = in_thread,
    ) -> None:
        self._store = store
        self._intake = intake
        self._shares = Shares(clock, known)
        self._runner = runner

    async def answer(self, body: bytes, peer_id: str) -> bytes:
        """Answer one request; raises NodeBusy, or SaysoError for one that breaks a rule."""
        if not self._shares.has_some(peer_id):
            raise NodeBusy("you have asked for more than your share; ask again in a while")
        request = decode_request(body)
        if isinstance(request, OfferRequest):
            self._shares.charge(peer_id, _COST_OF_OFFERED * len(request.envelopes))
            return await self._take(request.envelopes, peer_id)
        reading = Reader(self._store)
        try:
            return await self._runner(partial(reading.answer, request))
        finally:
            self._shares.charge(peer_id, reading.cost)

    async def _take(self, envelopes: Sequence[bytes], peer_id: str) -> bytes:
        outcomes = await self._intake.take(envelopes, Source.peer(Channel.SYNC, peer_id))
        return answers.encode_taken([TAKEN if self._has(one) else DECLINED for one in outcomes])

    def _has(self, outcome: Outcome) -> bool:
        """Whether it is here now; what was erased (rule 8.13) is known, and is not."""
        if outcome.status is not Status.KNOWN or outcome.envelope is None:
            return outcome.status is Status.STORED
        if not isinstance(outcome.envelope.message, Consent):
            return True
        with self._store.read() as db:
            return messages.consent(db, outcome.envelope.digest) is not None


class Reader:
    """Answers one question from the store, and says what it cost, in entries read."""

    def __init__(self, store: Engine) -> None:
        self._store = store
        self.cost = 1

    def answer(self, request: Reading) -> bytes:
        """The bytes of the answer."""
        match request:
            case FingerprintsRequest():
                return self._fingerprints(request)
            case ListRequest():
                return self._lists(request)
            case GetRequest():
                return self._messages(self._wanted(request))
            case RangeRequest(node, after):
                with self._store.read() as db:
                    digests = sync_index.consents_in(db, node, after, RANGE_MESSAGES)
                return self._messages(digests)
            case CheckRequest(kind, salt, node):
                few = self._count(kind, node, CHECKED_AT_MOST) <= CHECKED_AT_MOST
                ids = (one.id for one in self._in(kind, node)) if few else ()
                return answers.encode_check(check_of(salt, ids) if few else None)

    def _fingerprints(self, request: FingerprintsRequest) -> bytes:
        with self._store.read() as db:
            sums = sync_index.sums(db, request.kind, request.nodes, request.step)
        deep = sync_index.is_summed_up(request.nodes[-1], request.step)
        self.cost += sum(one.size for one in sums) if deep else len(sums)
        return answers.encode_fingerprints([fingerprint(request.salt, one) for one in sums])

    def _lists(self, request: ListRequest) -> bytes:
        lists: list[list[Listed] | None] = []
        listed = 0
        for node in request.nodes:
            count = self._count(request.kind, node, LISTED)
            if listed and listed + count > LISTED_IN_ALL:
                break
            few = count <= LISTED
            found = [_listed(request.salt, one) for one in self._in(request.kind, node)] if few else None
            listed += len(found or ())
            lists.append(found)
        return answers.encode_lists(request.kind, lists)

    def _wanted(self, request: GetRequest) -> list[bytes]:
        """Digests of the messages that are asked for, those not held left out."""
        found: dict[bytes, None] = {}
        for node, ids in zip(request.nodes, request.ids, strict=True):
            if self._count(request.kind, node, LISTED) > LISTED:
                continue  # it was never listed
            wanted = set(split_ids(ids))
            for entry in self._in(request.kind, node):
                names = [one for one in entry.carriers if short_id(request.salt, one) in wanted]
                found.update(dict.fromkeys(names))
        return list(found)

    def _messages(self, digests: Sequence[bytes]) -> bytes:
        """As many as fit, the first in any case."""
        given: list[bytes] = []
        size = 0
        with self._store.read() as db:
            for body in messages.bodies(db, digests):
                size += len(body) + 8
                if given and (size > BUNDLE_BYTES or len(given) == RANGE_MESSAGES):
                    break
                given.append(body)
        self.cost += len(given)
        return answers.encode_messages(given)

    def _count(self, kind: int, node: int, most: int) -> int:
        self.cost += 1
        with self._store.read() as db:
            return sync_index.count_entries(db, kind, node, most)

    def _in(self, kind: int, node: int) -> list[Entry]:
        with self._store.read() as db:
            entries = sync_index.entries(db, kind, node)
        self.cost += len(entries)
        return entries


def _listed(salt: bytes, entry: Entry) -> Listed:
    return Listed(short_id(salt, entry.id), tuple(short_id(salt, one) for one in entry.carriers))
