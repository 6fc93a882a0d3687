"""The data of the events in the stream of revocations, as msgspec structs."""

from msgspec import Struct

from sayso_node.api.schema.values import Decimal, Time
from sayso_protocol.receipts.json_values import Address, Hash


class RevocationEvent(Struct):
    """The data of an event: bits that became revoked."""

    contributor: Address
    word: Decimal
    mask: Decimal
    source: str
    digest: Hash | None
    time: Time


class SilenceEvent(Struct):
    """The data of the event `silence`: why the node may not speak."""

    reason: str
