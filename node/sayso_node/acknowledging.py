"""Acknowledgements: the node's signed promise that it keeps a revocation (rule 9.4)."""

import json
from typing import Any

from nacl.signing import SigningKey

from sayso_node.counters import Counters
from sayso_node.freshness import Freshness
from sayso_node.interfaces import Clock
from sayso_node.store import messages
from sayso_node.store.engine import Engine
from sayso_protocol.receipt_text import acknowledgement_to_json
from sayso_protocol.receipts import Acknowledgement, sign_statement
from sayso_protocol.typed_data import Network


class Acknowledger:
    """Acknowledges revocations that are on disk; a repeat gets the first acknowledgement again."""

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
        """The acknowledgement of a kept revocation, as JSON."""
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
