"""The values of `GET /v1/licenses/{license}/trace`, as msgspec structs (section 15)."""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from sayso_protocol.receipts.json_values import Address, Hash, Purpose

Standing = Literal["confirmed", "due", "undated", "late"]


class BlockJson(Struct):
    """A final block; `time` is null until this node has asked for it."""

    number: int
    time: int | None


class PassedOnJson(Struct):
    """A sublicense by which a holder holds the license; `first_seen` is this node's own time."""

    digest: Hash
    signer: Address
    parent: Hash
    depth: int
    purposes: list[Purpose]
    issued_at: int
    expires_at: int
    withdrawn: bool
    anchored: BlockJson | None
    first_seen: float


class UsedJson(Struct):
    """A use that a holder declared."""

    digest: Hash
    purpose: Purpose
    run: str
    record: Hash
    used_at: int
    withdrawn: bool
    anchored: BlockJson | None


class ConfirmedJson(Struct):
    """The removal that confirms: it counts from the block of its own first anchor."""

    digest: Hash
    as_of_block: int
    anchored: BlockJson


class DisputedJson(Struct):
    """A dispute over a file or a party of the license, by somebody whom this node heeds."""

    digest: Hash
    signer: Address
    subject: Literal["files", "contributors"]
    code: str
    issued_at: int
    expires_at: int
    withdrawn: bool
    anchored: BlockJson | None


class DutyJson(Struct):
    """What became revoked for a holder by one block, and whether its removal was confirmed.

    `late` says that this node knows no confirmation; `undated`, that no final block dates it yet. `by`
    are the scopes; `file` stands for scopes of single files, `permission` for what named items alone.
    """

    standing: Standing
    revoked: BlockJson | None
    by: list[str]
    items: int
    permissions: int
    purposes: list[Purpose]
    due: int | None
    removal: ConfirmedJson | None


class HolderJson(Struct):
    """A holder: how it holds the license, what it declared, and what it owes."""

    address: Address
    is_grantee: bool
    passed_on: list[PassedOnJson]
    uses: list[UsedJson]
    more_uses: bool
    duties: list[DutyJson]


class TraceJson(Struct):
    """Where a license went, as far as it was stated; `final` is the block by which it was computed.

    Holders stand by ascending address; `next` is the `after` of the next page, null at the end.
    `first_seen` is this node's own time.
    """

    license: Hash
    contributor: Address
    grantee: Address
    purposes: list[Purpose]
    items: int
    issued_at: int
    expires_at: int
    removal_days: int
    anchored: BlockJson | None
    first_seen: float
    final: BlockJson | None
    disputes: list[DisputedJson]
    holders: list[HolderJson]
    next: Address | None


class TraceQuery(Struct):
    """The address after which the page begins."""

    after: Annotated[Address, Meta(description="`next` of the page before.")] | UnsetType = UNSET
