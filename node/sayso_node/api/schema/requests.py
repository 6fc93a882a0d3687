"""Request bodies and queries, as msgspec structs that refuse unknown fields.

Types, lengths and ranges are checked when a request is decoded. Patterns and limits in
`extra_json_schema` are documentation; the protocol's rules check them, with their own error codes.
"""

from typing import Annotated, Any, Final

from msgspec import UNSET, Meta, Struct, UnsetType, defstruct

from sayso_node.api.schema.values import Base64, Cursor, Decimal
from sayso_protocol.limits import LIMITS
from sayso_protocol.messages.consent import RECHECK_HOURS, REMOVAL_DAYS
from sayso_protocol.messages.consent_rules import LATEST
from sayso_protocol.primitives import HASH_BYTES, NOBODY, address_text, hex_text
from sayso_protocol.receipts.json_values import (
    Address,
    Hash,
    HeedJson,
    Nonce,
    Purpose,
)

ROWS: Final = 1 << 20  # of one check
MAX_AGE_S: Final = 1 << 32
RUN_ID_CHARS: Final = 200
NO_NONCE: Final = "0x"
LISTENED: Final = 16  # addresses that a listener names, in all roles together
LIST: Final = 1_024  # elements, as in rule 6.1


def _list_of(**schema: Any) -> Meta:
    """Limit a list's length; further restrictions go to the schema only."""
    return Meta(max_length=LIST, extra_json_schema=schema)


def _range(most: int) -> dict[str, int]:
    """Return the schema of an integer from 1 on, which the protocol's rules check."""
    return {"minimum": 1, "maximum": most}


Seconds = Annotated[int, Meta(extra_json_schema={"minimum": 0})]
RunUntil = Annotated[
    int,
    Meta(
        ge=0,
        le=LATEST,
        description="When the run ends; a row that may not be relied on so long is `stale`.",
    ),
]
HeedText = Annotated[
    str,
    Meta(
        max_length=LIMITS.heeded * 43,
        description="Rule 8.17: addresses with commas between.",
        extra_json_schema={"pattern": "^(0x[0-9a-fA-F]{40}(,0x[0-9a-fA-F]{40}){0,15})?$"},
    ),
]
MaxAge = Annotated[int, Meta(ge=0, lt=MAX_AGE_S)]
# Of a length that is checked hash by hash, because a request holds a million.
RowHash = Annotated[Hash, Meta(min_length=66, max_length=66)]
Items = Annotated[list[Hash], _list_of(minItems=1)]
Purposes = Annotated[list[Purpose], _list_of(minItems=1, maxItems=16)]
Parties = Annotated[list[Address], _list_of(maxItems=16)]
Scope = Annotated[
    str,
    Meta(title="Scope", description="Rule 5.1.", extra_json_schema={"pattern": "^[ -~]{1,200}$"}),
]
ChainId = Annotated[int, Meta(extra_json_schema={"minimum": 1, "maximum": LIMITS.chain_id})]
Scopes = Annotated[list[Scope], _list_of(maxItems=16)]
Decimals = Annotated[list[Decimal], _list_of(maxItems=64)]


GIVEN_PATTERN: Final = r"^\s*(0[xX])?([0-9a-fA-F]{2})*\s*$"
GivenSignature = Annotated[
    str,
    Meta(
        description="As the wallet gave it: v of any kind, EIP-2098, or a contract wallet's own.",
        extra_json_schema={"pattern": GIVEN_PATTERN},
    ),
]


class ConsentFields(Struct, forbid_unknown_fields=True, kw_only=True):
    """Rule 4.2, without the notice. `parties` is empty for the contributor alone."""

    contributor: Address
    grantee: Address
    items: Items
    purposes: Purposes
    issued_at: Seconds
    expires_at: Seconds
    recheck_hours: Annotated[int, Meta(extra_json_schema=_range(LIMITS.recheck_hours))] = RECHECK_HOURS
    removal_days: Annotated[int, Meta(extra_json_schema=_range(LIMITS.removal_days))] = REMOVAL_DAYS
    parties: Parties = []
    via: Annotated[str, Meta(description="Rule 3.6.")] = ""
    terms: Hash = hex_text(bytes(HASH_BYTES))
    terms_uri: Annotated[str, Meta(description="Rule 3.5.")] = ""
    guardian: Address = address_text(NOBODY)


class RevocationFields(Struct, forbid_unknown_fields=True, kw_only=True):
    """Rule 4.3, without the notice."""

    contributor: Address
    scopes: Scopes = []
    words: Decimals = []
    masks: Decimals = []


class SignedConsent(ConsentFields, kw_only=True):
    """A consent by its fields, with the wallet's signature."""

    signature: GivenSignature


class SignedRevocation(RevocationFields, kw_only=True):
    """`chain_id`: under which it was signed (6.2.5), the node's if absent.

    `consents`: envelopes that make the revocation known (rule 7.12).
    """

    signature: GivenSignature
    chain_id: ChainId | UnsetType = UNSET
    consents: Annotated[list[Base64], _list_of()] = []


class CheckFields(Struct, forbid_unknown_fields=True, kw_only=True):
    """The fields that both forms of a check share."""

    purpose: Purpose
    max_age_s: MaxAge
    run_id: Annotated[str, Meta(max_length=RUN_ID_CHARS)]
    run_until: RunUntil = 0


class CheckRequest(CheckFields, kw_only=True):
    """Each row is a license hash and an item hash; without `heed`, the node's own list counts."""

    grantee: Address
    heed: HeedJson | UnsetType = UNSET
    nonce: Nonce = NO_NONCE
    rows: Annotated[
        list[tuple[RowHash, RowHash]], Meta(min_length=1, extra_json_schema={"maxItems": ROWS})
    ]


class PackedCheck(CheckFields, kw_only=True):
    """The fields of a check; grantee 20 bytes, nonce 0 to 32 bytes, rows 64 bytes each, concatenated."""

    grantee: bytes
    heed: Annotated[list[bytes], Meta(max_length=LIMITS.heeded)] | UnsetType = UNSET
    nonce: Annotated[bytes, Meta(max_length=LIMITS.nonce_bytes)] = b""
    rows: bytes


class NoQuery(Struct):
    """An empty query."""


class StatusQuery(Struct):
    """The query about one row; `heed` has commas between addresses, and is empty for nobody.

    Without `heed`, the node's own list counts.
    """

    grantee: Address
    purpose: Purpose
    max_age_s: MaxAge
    heed: HeedText | UnsetType = UNSET
    nonce: Nonce = NO_NONCE


class ProofQuery(Struct):
    """The permission of the license; without `grantee`, for the grantee of the consent."""

    item: Hash
    purpose: Purpose
    grantee: Address | UnsetType = UNSET


Listened = Annotated[
    str,
    Meta(
        max_length=LISTENED * 43,
        title="Addresses",
        description="Up to 16 addresses with commas between, in all roles together.",
        extra_json_schema={"pattern": "^0x[0-9a-fA-F]{40}(,0x[0-9a-fA-F]{40}){0,15}$"},
    ),
]


class EventsQuery(Struct):
    """`after` resumes after an event; 0 starts with the first.

    With addresses, the stream has the events that concern one of them, and those that concern more
    than the node notes. `contributor` licensed something, or is the guardian of who did; `grantee` was
    licensed by the contributor, `holder` by the contributor or somebody else; `licensor` passed licenses
    on.
    """

    after: (
        Annotated[str, Meta(extra_json_schema={"pattern": "^(0|[0-9a-f]{32}-(0|[1-9][0-9]{0,18}))$"})]
        | UnsetType
    ) = UNSET
    contributor: Listened | UnsetType = UNSET
    grantee: Listened | UnsetType = UNSET
    licensor: Listened | UnsetType = UNSET
    holder: Listened | UnsetType = UNSET


def page_query(largest: int) -> type[Struct]:
    """Return the query of a list whose pages have at most so many rows."""
    limit = Annotated[int, Meta(ge=1, le=largest)]
    return defstruct("PageQuery", [("limit", limit, largest), ("cursor", Cursor | UnsetType, UNSET)])


def licenses_query(largest: int) -> type[Struct]:
    """Return the query of a contributor's licenses, of one marketplace or to one grantee."""
    narrower = [("via", str | UnsetType, UNSET), ("grantee", Address | UnsetType, UNSET)]
    return defstruct("LicensesQuery", narrower, bases=(page_query(largest),))


def claims_query(largest: int) -> type[Struct]:
    """Return the query of the claims on an item; `beside` leaves only those with a license's parties."""
    beside = ("beside", Hash | UnsetType, UNSET)
    return defstruct("ClaimsQuery", [beside], bases=(page_query(largest),))
