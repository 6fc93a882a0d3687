"""The values in a node's answers, as msgspec structs.

The node encodes them as JSON and msgpack, clients decode them as these types, and the OpenAPI document
is derived from them. The texts cite rules of docs/protocol.md.
"""

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType, field

from sayso_node.intake.outcome import Status
from sayso_protocol.ethereum.batches import AnchorProof
from sayso_protocol.receipts.json_values import Address, Count, Hash, Key, Purpose, texts_of, values_of
from sayso_protocol.receipts.text import AcknowledgementJson, BlockJson, ReceiptJson
from sayso_protocol.verdicts.verdict import Reason

Decimal = Annotated[
    str,
    Meta(
        title="Decimal",
        description="An integer in decimal digits.",
        extra_json_schema={"pattern": "^(0|[1-9][0-9]{0,77})$"},
    ),
]
Cursor = Annotated[
    str,
    Meta(
        title="Cursor",
        description="Opaque: use it as it was issued, for the same path.",
        extra_json_schema={"pattern": "^[A-Za-z0-9_-]{27}$"},
    ),
]
Base64 = Annotated[str, Meta(title="Base64", extra_json_schema={"contentEncoding": "base64"})]
Time = Annotated[float, Meta(ge=0, description="Seconds since the epoch.")]


class Fault(Struct):
    """An error: `code` is one of docs/reference/errors.md."""

    code: Annotated[str, Meta(extra_json_schema={"pattern": "^[a-z-]+$"})]
    message: str


class RefusalJson(Struct):
    """The answer to any refused request."""

    error: Fault


class TypedData(Struct):
    """`typed_data` is the input of `eth_signTypedData_v4`; `digest` is what the wallet signs."""

    digest: Hash
    typed_data: dict[str, Any]


class ClearSigning(Struct):
    """A descriptor as ERC-7730, version 2, defines it."""

    schema: str = field(name="$schema")
    context: dict[str, Any]
    metadata: dict[str, Any]
    display: dict[str, Any]


class Result(Struct):
    """The outcome of one message."""

    digest: Hash | None
    status: Status
    error: Fault | UnsetType = UNSET
    acknowledgement: AcknowledgementJson | UnsetType | None = UNSET


class Results(Struct):
    """The outcomes, in the order of the messages."""

    results: list[Result]


class LicenseJson(Struct, kw_only=True):
    """The fields of a license in every list."""

    license: Hash
    status: Literal["active", "revoked", "expired", "not-yet-valid"]
    consent: dict[str, Any]
    arrived_at: Time
    permissions: Count
    revoked_permissions: Count


class AnchorProofJson(Struct):
    """Rule 10.2."""

    sponsor: Key
    count: Count
    index: Count
    path: list[Hash]
    tree: Hash

    @classmethod
    def of(cls, proof: AnchorProof) -> "AnchorProofJson":
        """Encode a proof."""
        return cls(**texts_of(cls, proof))

    def read(self) -> AnchorProof:
        """Decode a proof, which is not verified yet; raises Malformed."""
        return AnchorProof(**values_of(self))


class AnchorJson(Struct):
    """The anchor of a license."""

    root: Hash
    block_number: Count
    submitter: Address
    proof: AnchorProofJson


class WholeLicense(LicenseJson, kw_only=True):
    """`revoked_masks`: by rule 8.2, one for each word from the first on (rule 5.5)."""

    envelope: Base64
    items: list[Hash]
    revoked_masks: list[Decimal]
    anchor: AnchorJson | None


class ListedConsent(LicenseJson, kw_only=True):
    """A license without its items."""

    anchor_block: Count | None


class Consents(Struct):
    """A page of a contributor's licenses, with what each allows."""

    consents: list[ListedConsent]
    next: Cursor | None


class PagedLicense(Struct):
    """A signed license without its proofs; its terms and items are in the envelope."""

    license: Hash
    envelope: Base64
    revoked_permissions: Count
    anchor_block: Count | None


class Licenses(Struct):
    """A page of a contributor's licenses."""

    licenses: list[PagedLicense]
    next: Cursor | None


class ListedClaim(Struct):
    """A consent that names an item, with what it allows."""

    license: Hash
    contributor: Address
    parties: list[Address]
    grantee: Address
    via: str
    purposes: list[Purpose]
    revoked_purposes: list[Purpose]
    issued_at: Count
    expires_at: Count
    recheck_hours: Count
    removal_days: Count


class Claims(Struct):
    """Rule 8.11: an item without a license is never clear."""

    clear: Literal[False]
    claims: list[ListedClaim]
    next: Cursor | None


class BatchLicenses(Struct):
    """Rule 10.1."""

    root: Hash
    sponsor: Key
    licenses: list[Hash]


class Progress(Struct):
    """The progress of a revocation.

    `sent_to`: number of peers that this node sent it to; null if it did not, or has forgotten.
    `on_chain`: whether all its bits are on chain, read up to `block`; the last of them landed in
    `chain_block`.
    """

    digest: Hash
    status: Literal["stored", "pending"]
    sent_to: Count | None
    on_chain: bool
    chain_block: Count | None
    block: BlockJson | None
    acknowledgement: AcknowledgementJson | None


class Checked(Struct):
    """A reason for each row, and the receipt that covers them."""

    reasons: list[Reason]
    receipt: ReceiptJson | None


class CheckedPacked(Struct):
    """The answer to a check in msgpack: the numbers of the reasons, a byte each (section 8)."""

    reasons: bytes
    receipt: ReceiptJson | None = None


class SnapshotFile(Struct):
    """Rule 13.2: a file below /v1/snapshots/. `number` is 0 for a snapshot, else the delta's."""

    name: str
    id: Hash
    number: Count
    bytes: Count
    keys: Count
    time: Count
    as_of: Count
    expires_at: Count


class Snapshots(Struct):
    """The current snapshot, and its deltas in order."""

    files: list[SnapshotFile]
