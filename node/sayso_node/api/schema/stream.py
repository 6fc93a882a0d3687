"""The data of the events in the stream of events, as msgspec structs."""

from typing import Any

from msgspec import Struct

from sayso_node.api.schema.values import Decimal, Time
from sayso_protocol.receipts.json_values import Address, Hash


class RevocationEvent(Struct):
    """The data of the event `revocation`: bits that became revoked."""

    contributor: Address
    word: Decimal
    mask: Decimal
    source: str
    digest: Hash | None
    time: Time


class StatementEvent(Struct):
    """The data of the events `sublicense`, `use`, `removal`, `dispute`, `withdrawal` and `lift`.

    Attributes:
        digest: Digest of the statement; GET /v1/statements/{digest} has the signed message.
        kind: `sublicense`, `use`, `removal` or `dispute`.
        signer: Who signed it, or withdrew it.
        statement: Its fields (rules 3.11 to 3.15) without notice; null if it has ended (15.7).
        time: When this node kept it, or learnt of the withdrawal.
    """

    digest: Hash
    kind: str
    signer: Address
    statement: dict[str, Any] | None
    time: Time


class SilenceEvent(Struct):
    """The data of the event `silence`: why the node may not speak."""

    reason: str
