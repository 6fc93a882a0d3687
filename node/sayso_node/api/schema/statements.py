"""The values in answers about statements, as msgspec structs."""

from typing import Annotated, Any, Final, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from sayso_node.api.schema.values import Base64
from sayso_protocol.receipts.json_values import Address, Hash

STORED: Final = "stored"
AS_CLAIM: Final = "pending"
KindName = Literal["sublicense", "use", "removal", "dispute"]
Standing = Literal["stored", "pending"]


class StatementJson(Struct):
    """A statement (rules 3.11 to 3.15).

    `pending` is a claim: nothing that this node knows stands behind it (rule 7.17). `withdrawn` says
    whether its signer took it back. `envelope` is the signed message.
    """

    digest: Hash
    kind: str
    status: Standing
    withdrawn: bool
    statement: dict[str, Any]
    hashes: list[Hash]
    envelope: Base64


class Statements(Struct):
    """Statements in a fixed order; `next` is the `after` of the next page, null at the end."""

    statements: list[StatementJson]
    next: Hash | None


class StatementsQuery(Struct):
    """The kind, whether they are kept, and the digest after which the page begins."""

    kind: KindName
    status: Standing = "stored"
    after: Annotated[Hash, Meta(description="`next` of the page before.")] | UnsetType = UNSET


class SublicensesTo(Struct):
    """Signed sublicenses by which a license reached somebody, with those above them.

    `next` is the `after` of the next page, null at the end.
    """

    sublicenses: list[Base64]
    next: Hash | None


class SublicensesToQuery(Struct):
    """Who holds the license, and the digest after which the page begins."""

    grantee: Address
    after: Annotated[Hash, Meta(description="`next` of the page before.")] | UnsetType = UNSET
