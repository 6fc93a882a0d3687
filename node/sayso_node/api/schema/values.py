"""What a node answers: the values, as msgspec structs, each defined here alone.

The node renders them to JSON and msgpack, clients read them as these types, and the OpenAPI document is
derived from them. Texts name the rules of docs/protocol.md.
"""

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from sayso_node.intake.outcome import Status
from sayso_protocol.encoding.json_values import Address, Count, Hash, Key, NetworkJson, Purpose
from sayso_protocol.ethereum.batches import AnchorProof
from sayso_protocol.primitives import hash_from_text, hex_text
from sayso_protocol.receipts.text import AcknowledgementJson, BlockJson, ReceiptJson, node_key_of
from sayso_protocol.verdicts.verdict import Reason

Decimal = Annotated[
    str,
    Meta(
        title="Decimal",
        description="A whole number in decimal digits.",
        extra_json_schema={"pattern": "^(0|[1-9][0-9]{0,77})$"},
    ),
]
Cursor = Annotated[
    str,
    Meta(
        title="Cursor",
        description="Opaque: as it was given out, for the same path.",
        extra_json_schema={"pattern": "^[A-Za-z0-9_-]{27}$"},
    ),
]
Base64 = Annotated[str, Meta(title="Base64", extra_json_schema={"contentEncoding": "base64"})]
Time = Annotated[float, Meta(ge=0, description="Seconds since the epoch.")]


class Fault(Struct):
    """What is wrong: `code` is one of docs/reference/errors.md."""

    code: Annotated[str, Meta(extra_json_schema={"pattern": "^[a-z-]+$"})]
    message: str


class RefusalJson(Struct):
    """What every refusal looks like."""

    error: Fault


class TypedData(Struct):
    """`typed_data` is what `eth_signTypedData_v4` takes; `digest` is what it signs."""

    digest: Hash
    typed_data: dict[str, Any]


class Result(Struct):
    """What became of one message."""

    digest: Hash | None
    status: Status
    error: Fault | UnsetType = UNSET
    acknowledgement: AcknowledgementJson | UnsetType | None = UNSET


class Results(Struct):
    """In the order of the messages."""

    results: list[Result]


class LicenseJson(Struct, kw_only=True):
    """What is said of a license wherever it is listed."""

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
        """The proof as it is written."""
        path = [hex_text(one) for one in proof.path]
        return cls(proof.sponsor.hex(), proof.count, proof.index, path, hex_text(proof.tree))

    def read(self) -> AnchorProof:
        """The proof that is meant, still to be checked; raises Malformed."""
        path = tuple(map(hash_from_text, self.path))
        sponsor, tree = node_key_of(self.sponsor), hash_from_text(self.tree)
        return AnchorProof(sponsor, self.count, self.index, path, tree)


class AnchorJson(Struct):
    """Where a license is anchored."""

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


class Licenses(Struct):
    """A page of a contributor's licenses."""

    licenses: list[Hash]
    next: Cursor | None


class ListedClaim(Struct):
    """Who licensed an item, and for what."""

    license: Hash
    contributor: Address
    parties: list[Address]
    grantee: Address
    via: str
    purposes: list[Purpose]
    revoked_purposes: list[Purpose]
    issued_at: Count
    expires_at: Count


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
    """How far a revocation has come.

    `sent_to`: how many peers this node gave it to; null if it has not, or no longer knows. `on_chain`:
    every bit of it is on the chain as it was read up to `block`, the last of them since `chain_block`.
    """

    digest: Hash
    status: Literal["stored", "pending"]
    sent_to: Count | None
    on_chain: bool
    chain_block: Count | None
    block: BlockJson | None
    acknowledgement: AcknowledgementJson | None


class Checked(Struct):
    """A reason for each row, and the receipt that binds them."""

    reasons: list[Reason]
    receipt: ReceiptJson | None


class CheckedPacked(Struct):
    """The same for a check in msgpack: the numbers of the reasons, a byte each (section 8)."""

    reasons: bytes
    receipt: ReceiptJson | None = None


class SnapshotFile(Struct):
    """Rule 13.2: a file below /v1/snapshots/. `number` is 0 for the snapshot, then which delta it is."""

    name: str
    id: Hash
    number: Count
    bytes: Count
    keys: Count
    time: Count
    as_of: Count
    expires_at: Count


class Snapshots(Struct):
    """Today's snapshot, and its deltas in order."""

    files: list[SnapshotFile]


class OperatorJson(Struct):
    """An operator of the network file."""

    name: str
    node_key: Key
    url: str | None


class HeadJson(Struct):
    """The block up to which the chain was read."""

    number: Count
    hash: Hash
    time: Time


class NodeJson(Struct, kw_only=True):
    """What a node says of itself."""

    name: str
    version: str
    node_key: Key
    peer_id: str
    network: NetworkJson
    operators: list[OperatorJson] = []
    disabled: list[str] = []
    gossip_replay_window_s: float = 0
    time: Time
    block: HeadJson | None
    listen: list[str]
    counters: dict[str, Count]


class PeerJson(Struct):
    """A peer; without an address when it dialled this node."""

    peer_id: str
    address: str
    connected: bool


class Peers(Struct):
    """Whom a node is to be connected with, and whether it is."""

    peers: list[PeerJson]


class Health(Struct):
    """The process answers."""

    ok: Literal[True]


class Ready(Struct):
    """`ready`: chain and peers were read lately, and no part of the node is down.

    `marks_full` asks for an operator (rule 7.15).
    """

    ready: bool
    parts_down: list[str]
    marks_full: bool
    alarms: dict[str, str]


class RevocationEvent(Struct):
    """A bit that became revoked: the data of an event."""

    contributor: Address
    word: Decimal
    mask: Decimal
    source: str
    digest: Hash | None
    time: Time
