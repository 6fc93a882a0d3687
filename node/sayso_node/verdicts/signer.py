"""Signs the node's statements: receipts for checks and acknowledgements of revocations (section 9).

The clock may be set back. No acknowledgement is dated before an earlier receipt, because the two would
prove misconduct (rule 9.7).
"""

import asyncio

import msgspec
from nacl.signing import SigningKey

from sayso_node.errors import ClockPutBack
from sayso_node.freshness import Freshness
from sayso_node.interfaces import Clock
from sayso_node.store import messages
from sayso_node.store.chain import chain_state, relays
from sayso_node.store.interface import Store, Writing
from sayso_node.supervision.counters import Counters
from sayso_node.verdicts.dating import promised
from sayso_node.verdicts.judge import Check, CheckResult
from sayso_protocol.encoding.row_tree import roots
from sayso_protocol.messages.envelope import Envelope
from sayso_protocol.messages.message import as_kind
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.network import Network
from sayso_protocol.receipts.receipt import (
    Acknowledgement,
    ChainPoint,
    Receipt,
    Signed,
    count_reasons,
    sign_statement,
)
from sayso_protocol.receipts.text import AcknowledgementJson, acknowledgement_json

LATEST_RECEIPT = "latest-receipt"  # name of its time in the store
RECEIPTS = "receipts"  # name of the last one's number


class Signer:
    """Signs statements with the node key; their basis is on disk before they are returned."""

    def __init__(
        self,
        network: Network,
        store: Store,
        freshness: Freshness,
        identity: SigningKey,
        clock: Clock,
        counters: Counters,
        *,
        relays: bool = False,
        anchors: bool = False,
    ) -> None:
        self._network = network
        self._store = store
        self._freshness = freshness
        self._identity = identity
        self._clock = clock
        self._counters = counters
        self._relays, self._anchors = relays, anchors

    async def acknowledge(self, envelope: Envelope) -> AcknowledgementJson:
        """Return the acknowledgement of a revocation whose bits are stored (rule 9.4).

        A kept revocation gets its first acknowledgement again; of one that changed nothing, nothing is
        stored (rule 7.13). If this node pays for transactions, the same transaction of the store queues
        its bits for the registry, and its digest for the next batch.
        Raises IdentityInUse and StoreUnusable.
        """
        self._freshness.check_alone(self._clock.now())
        digest, revocation = envelope.digest, as_kind(envelope.message, Revocation)
        block = self._freshness.head.point

        def keep(db: Writing) -> str:
            now = self._clock.now()
            body = self._promise(db, digest, block, now)
            is_kept = messages.is_known(db, digest)
            if self._relays:
                relays.want(db, revocation.contributor, revocation.bits, now)
            if self._anchors:
                chain_state.queue(db, digest, now)
            return messages.keep_acknowledgement(db, digest, body) if is_kept else body

        kept = await self._store.write(keep)
        self._counters.add("acknowledgements")
        return msgspec.json.decode(kept, type=AcknowledgementJson)

    async def receipt(self, check: Check, answer: CheckResult) -> Signed[Receipt]:
        """Return the signed receipt of a check (rule 9.1); its number is never reused.

        Raises ClockPutBack when the clock was set back since the check was judged, IdentityInUse, and
        StoreUnusable.
        """
        self._freshness.check_alone(self._clock.now())
        manifest_root, results_root = await asyncio.to_thread(roots, check.rows, answer.reasons)
        time = int(answer.time)
        sequence = await self._store.write(lambda db: _number_receipt(db, time))
        if int(self._clock.now()) < time:  # an acknowledgement made meanwhile could seem older
            raise ClockPutBack("the clock was set back while the check was answered; ask again")
        receipt = Receipt(
            network=self._network,
            node_key=bytes(self._identity.verify_key),
            grantee=check.query.grantee,
            purpose=check.query.purpose,
            max_age_s=check.max_age_s,
            run_id=check.run_id,
            nonce=check.nonce,
            manifest_root=manifest_root,
            results_root=results_root,
            counts=count_reasons(answer.reasons),
            sequence=sequence,
            state=answer.state,
            block=answer.block,
            time=time,
            run_until=check.run_until,
            until=answer.until,
            heed=answer.heed,
        )
        self._counters.add("receipts")
        return sign_statement(self._identity, receipt)

    def _promise(self, db: Writing, digest: bytes, block: ChainPoint, now: float) -> str:
        """Sign an acknowledgement; no receipt that is numbered already is later."""
        time = max(int(promised(db, now)), messages.noted_time(db, LATEST_RECEIPT))
        key = bytes(self._identity.verify_key)
        statement = Acknowledgement(self._network, key, digest, block, time)
        signed = acknowledgement_json(sign_statement(self._identity, statement))
        return msgspec.json.encode(signed).decode()


def _number_receipt(db: Writing, time: int) -> int:
    messages.note_time(db, LATEST_RECEIPT, time)
    return messages.next_number(db, RECEIPTS)
