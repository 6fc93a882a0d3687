"""What the node signs for its users: receipts of checks, acknowledgements of revocations (section 9)."""

import asyncio
import json
from typing import Any

from nacl.signing import SigningKey

from sayso_node.counters import Counters
from sayso_node.freshness import Freshness
from sayso_node.interfaces import Clock
from sayso_node.judging import Answer, Check
from sayso_node.store import messages
from sayso_node.store.engine import Engine
from sayso_protocol.receipt_text import acknowledgement_to_json
from sayso_protocol.receipts import (
    Acknowledgement,
    Receipt,
    Signed,
    count_reasons,
    manifest_root,
    results_root,
    sign_statement,
)
from sayso_protocol.typed_data import Network


class Signer:
    """Signs in the node's name; what a statement rests on is on disk before it is given away."""

    def __init__(
        self,
        network: Network,
        store: Engine,
        freshness: Freshness,
        identity: SigningKey,
        clock: Clock,
        counters: Counters,
    ) -> None:
        self._network = network
        self._store = store
        self._freshness = freshness
        self._identity = identity
        self._clock = clock
        self._counters = counters

    async def acknowledge(self, digest: bytes) -> dict[str, Any]:
        """That a revocation is kept, as JSON; a repeat gets the first one again (rule 9.4)."""
        statement = Acknowledgement(
            self._network,
            bytes(self._identity.verify_key),
            digest,
            self._freshness.head.point,
            int(self._clock.now()),
        )
        body = json.dumps(acknowledgement_to_json(sign_statement(self._identity, statement)))
        kept = await self._store.write(lambda db: messages.keep_acknowledgement(db, digest, body))
        self._counters.add("acknowledgements")
        acknowledgement: dict[str, Any] = json.loads(kept)
        return acknowledgement

    async def receipt(self, check: Check, answer: Answer) -> Signed[Receipt]:
        """What was asked and answered (rule 9.1); its number is never given twice."""
        asked = await asyncio.to_thread(manifest_root, check.rows)
        answered = await asyncio.to_thread(results_root, check.rows, answer.reasons)
        sequence = await self._store.write(lambda db: messages.next_number(db, "receipts"))
        receipt = Receipt(
            network=self._network,
            node_key=bytes(self._identity.verify_key),
            grantee=check.query.grantee,
            purpose=check.query.purpose,
            max_age_s=check.max_age_s,
            run_id=check.run_id,
            manifest_root=asked,
            results_root=answered,
            counts=count_reasons(answer.reasons),
            sequence=sequence,
            state=answer.state,
            block=answer.block,
            time=int(answer.time),
        )
        self._counters.add("receipts")
        return sign_statement(self._identity, receipt)
