"""Envelopes of any fields, rightly signed: so a refused vector breaks one rule and no other.

What is sealed has the notice (rule 4.6), the digest (4.3.1), the signature (4.4) and the sponsor (4.5)
that its fields give, unless the vector is about one of these.
"""

from collections.abc import Callable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any, Final

from sayso_protocol.encoding.eip712 import domain_separator
from sayso_protocol.encoding.merkle import content_root
from sayso_protocol.encoding.packing import pack
from sayso_protocol.messages.consent import Consent
from sayso_protocol.messages.kinds import KINDS
from sayso_protocol.messages.message import CONSENT, REVOCATION
from sayso_protocol.messages.notice import consent_notice
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.messages.typed_data import digests
from sayso_protocol.signatures.nodes import SPONSOR, sign_by_node
from support.holders import KEYS
from support.protocol_strategies import ADA, NETWORK, NODE, a_consent, item_hashes, sign_digest

Fields = dict[str, Any]
Cases = Mapping[str, tuple[str, bytes]]  # name: the rule that is broken, and the envelope
HOME: Final = (NETWORK.chain_id, NETWORK.registry)


def fields_of(message: Any) -> Fields:
    """The signed fields of a message, by their attributes, without the notice."""
    return {name: getattr(message, name) for _, name, _ in KINDS[message.kind].columns[1:]}


def notice_of(kind: int, fields: Fields) -> str:
    """The notice that these fields give, right or wrong as they are."""
    terms: Any = SimpleNamespace(**fields)
    if kind == CONSENT:
        return consent_notice(terms)
    made: Callable[[Any], str] = KINDS[kind].message.notice.fget  # type: ignore[attr-defined]
    return made(terms)


def digest_of(kind: int, fields: Fields, place: tuple[int, bytes] = HOME) -> bytes:
    """The digest of any fields, with the notice, under a domain, which may be none of a network."""
    domain: Any = SimpleNamespace(separator=domain_separator(*place))
    columns = [(fields[name],) for _, name, _ in KINDS[kind].columns]
    return digests(KINDS[kind], [domain], columns)[0]


def sealed(
    kind: int,
    fields: Fields,
    items: Sequence[bytes] = (),
    place: tuple[int, bytes] = HOME,
    *,
    signer: bytes | None = None,
) -> list[Any]:
    """The fields of an envelope (6.2), signed; by Ada where nobody can sign for the signer."""
    row = KINDS[kind]
    if "notice" not in fields:
        fields = fields | {"notice": notice_of(kind, fields)}
    digest = digest_of(kind, fields, place)
    person: bytes = signer or fields.get("signer") or fields["contributor"]
    signature = sign_digest(KEYS.get(person, KEYS[ADA]), digest)
    sponsor = [bytes(NODE.verify_key), sign_by_node(NODE, SPONSOR, digest)] if row.is_sponsored else None
    struct = [one.pack(fields[name]) for _, name, one in row.columns]
    return [1, kind, struct, list(items), signature, list(place), sponsor]


def consent_of(base: Any, items: Sequence[bytes], **changes: Any) -> bytes:
    """A consent with other values of some fields; its root is that of the items."""
    fields = fields_of(base) | {"content": content_root(items), "items": len(items)} | changes
    return pack(sealed(Consent.kind, fields, items))


def around(tree: list[Any], place: int, value: Any) -> bytes:
    """A message in which something beside the signed fields has another value."""
    return pack([*tree[:place], value, *tree[place + 1 :]])


def field(tree: list[Any], place: int, value: Any) -> bytes:
    """A message in which a signed field has a value of another type or length, which has no digest."""
    return around(tree, 2, [*tree[2][:place], value, *tree[2][place + 1 :]])


ITEMS: Final = item_hashes(3)
TERMS: Final = fields_of(a_consent(ITEMS))
STOPS: Final = fields_of(Revocation(ADA, ("everything",), (64,), (1,)))
CONSENT_TREE: Final = sealed(CONSENT, TERMS, ITEMS)
STOP_TREE: Final = sealed(REVOCATION, STOPS)
