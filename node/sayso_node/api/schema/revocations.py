"""The values in a list of revocations, as msgspec structs."""

from typing import Any

from msgspec import Struct

from sayso_node.api.schema.values import Base64, Cursor, Time
from sayso_protocol.receipts.json_values import Count, Hash


class ListedRevocation(Struct):
    """A stored revocation, and the chain id under which it was signed.

    `envelope` is the signed message, which every node accepts from anybody.
    """

    digest: Hash
    revocation: dict[str, Any]
    chain_id: Count
    arrived_at: Time
    envelope: Base64
    on_chain: bool
    chain_block: Count | None


class Revocations(Struct):
    """A page of the revocations that an address signed."""

    revocations: list[ListedRevocation]
    next: Cursor | None
