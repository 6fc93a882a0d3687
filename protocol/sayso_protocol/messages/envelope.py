"""The envelope: a message with what is needed to verify and to use it.

Rule 6.2: `[version, kind, struct, items, signature, network, sponsor]`. `kind` 1 is a consent, 2 a
revocation. `items` are the item hashes of a consent. `network` is `[chain id, registry]` of a consent
and nil for a revocation, which is good everywhere. `sponsor` is nil, or of a consent
`[node key, signature]`. Numbers beyond 64 bits are 32 big-endian bytes. The identity of a message is
its digest, never its bytes.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import repeat
from typing import Any

from nacl.signing import SigningKey

from sayso_protocol.encoding.columns import Column, check_all_of, columns_of, filled
from sayso_protocol.encoding.packing import all_of, fields, pack, pack_hashes, unpack_unchecked
from sayso_protocol.errors import (
    InvalidRevocation,
    Malformed,
    NotSponsored,
    SaysoError,
    TooLarge,
    WrongNetwork,
)
from sayso_protocol.limits import LIMITS
from sayso_protocol.messages.consent import Consent, consents_of
from sayso_protocol.messages.consent_rules import check_items
from sayso_protocol.messages.message import Message
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.messages.typed_data import consent_digests, digest
from sayso_protocol.network import Network
from sayso_protocol.primitives import HASH_BYTES
from sayso_protocol.signatures.nodes import SPONSOR, check_sponsor, sign_by_node
from sayso_protocol.signatures.wallets import Claim, WalletVerifier

ENVELOPE_VERSION = 1
CONSENT, REVOCATION = 1, 2

_FEW = 32  # items
_SEVEN = pack([None] * 7)[:1]  # the header of an envelope's array
_REVOCATION_HEAD = _SEVEN + bytes([ENVELOPE_VERSION, REVOCATION])
_ENVELOPE_KINDS = (int, int, tuple, tuple, bytes, None, None)
_ENVELOPE_NAMES = ("message", "network", "signature", "items", "sponsor", "digest", "body")
_CONSENT_KINDS = (str, bytes, tuple, bytes, str, bytes, int, tuple, bytes, str, bytes, int, int)
_SIGNATURE = 2  # after version and kind
_PARTIES, _CONTENT, _ITEMS, _PURPOSES = 2, 5, 6, 7
_REVOCATION_KINDS = (str, bytes, tuple, tuple, tuple)


@dataclass(frozen=True)
class Sponsor:
    """The node that took a consent in, and its signature over the license hash.

    Attributes:
        node_key: Ed25519 public key, 32 bytes.
        signature: 64 bytes.
    """

    node_key: bytes
    signature: bytes


@dataclass(frozen=True)
class Envelope:
    """A signed message on its way.

    Attributes:
        message: The consent or revocation.
        network: The network a consent was signed for; for a revocation the network it travels in.
        signature: The wallet's signature.
        items: The item hashes of a consent, in order.
        sponsor: The sponsor of a consent, or None before a node took it in.
    """

    message: Message
    network: Network
    signature: bytes
    items: tuple[bytes, ...] = ()
    sponsor: Sponsor | None = None

    @cached_property
    def digest(self) -> bytes:
        """The message's identity, 32 bytes."""
        return digest(self.message, self.network)

    @cached_property
    def body(self) -> bytes:
        """Its canonical bytes (rule 6.2); raises TooLarge."""
        return _packed(self)

    @property
    def claim(self) -> Claim:
        """What its wallet's signature has to prove."""
        return Claim._make((self.message.contributor, self.digest, self.signature))

    def sponsored_by(self, key: SigningKey) -> "Envelope":
        """The same envelope with this node as its sponsor."""
        signature = sign_by_node(key, SPONSOR, self.digest)
        return replace(self, sponsor=Sponsor(bytes(key.verify_key), signature))

    def check_signatures(self, wallets: WalletVerifier) -> None:
        """Check the wallet's signature, and the sponsor's if there is one; raises BadSignature."""
        wallets.check(self.message.contributor, self.digest, self.signature)
        if self.sponsor:
            check_sponsor(self.sponsor.node_key, self.digest, self.sponsor.signature)

    def check_sponsored(self) -> None:
        """Rule 7.3: between peers a consent needs a sponsor; raises NotSponsored."""
        if isinstance(self.message, Consent) and self.sponsor is None:
            raise NotSponsored("no node signed for having taken this consent in")


def encode(envelope: Envelope) -> bytes:
    """The canonical bytes of an envelope; raises TooLarge."""
    return envelope.body


def _packed(envelope: Envelope) -> bytes:
    message, sponsor = envelope.message, envelope.sponsor
    is_consent = isinstance(message, Consent)
    data = pack(
        [
            ENVELOPE_VERSION,
            CONSENT if is_consent else REVOCATION,
            _consent_struct(message) if isinstance(message, Consent) else _revocation_struct(message),
            list(envelope.items),
            envelope.signature,
            [envelope.network.chain_id, envelope.network.registry] if is_consent else None,
            [sponsor.node_key, sponsor.signature] if sponsor else None,
        ]
    )
    if len(data) > LIMITS.message_bytes:
        raise TooLarge(f"the message has {len(data)} bytes, the limit is {LIMITS.message_bytes}")
    return data


def is_revocation(data: bytes) -> bool:
    """Whether bytes begin like a revocation's envelope: nothing else of them is looked at."""
    return data.startswith(_REVOCATION_HEAD)


def decode(data: bytes, network: Network) -> Envelope:
    """Read an envelope; its signatures are still to be checked.

    Raises:
        Malformed: Not an envelope of this version.
        NotCanonical: Another encoding of it exists.
        TooLarge: More than 64 KiB, or a signature of more than 8 KiB.
        InvalidConsent: A field breaks a rule. InvalidRevocation, InvalidScope, InvalidPurpose likewise.
        WrongNetwork: A consent for another network.
    """
    return _decode([data], network)[0]


def decode_all(bodies: Sequence[bytes], network: Network) -> list[Envelope | SaysoError]:
    """For each envelope's bytes what `decode` returns or raises; much faster than one by one.

    What cannot be read is looked for by halves, so that one bad message does not slow down the others.
    """
    try:
        return [*_decode(bodies, network)] if bodies else []
    except SaysoError as error:
        if len(bodies) == 1:
            return [error]
        half = len(bodies) // 2
        return decode_all(bodies[:half], network) + decode_all(bodies[half:], network)


def _decode(bodies: Sequence[bytes], network: Network) -> list[Envelope]:
    """Read envelopes; raises if one of them cannot be read."""
    limit = LIMITS.message_bytes
    rows = [unpack_unchecked(data, max_bytes=limit, again=_pack_row) for data in bodies]
    versions, kinds, *columns = columns_of(rows, _ENVELOPE_KINDS)
    if {ENVELOPE_VERSION} != set(versions) or not {CONSENT, REVOCATION}.issuperset(kinds):
        raise Malformed("a message of an unknown version or kind")
    if max(map(len, columns[_SIGNATURE])) > LIMITS.wallet_signature_bytes:
        raise TooLarge(f"a signature has at most {LIMITS.wallet_signature_bytes} bytes")  # 4.4
    if CONSENT not in kinds:
        return [_read_revocation(network, *row) for row in zip(*columns, strict=True)]
    if REVOCATION in kinds:
        return [one for data in bodies for one in _decode([data], network)]
    return _read_consents(network, bodies, *columns)


def _pack_row(row: Any) -> bytes:
    """Pack what may be an envelope; many item hashes take less time joined than one by one."""
    if type(row) is not tuple or len(row) != len(_ENVELOPE_KINDS) or type(row[3]) is not tuple:
        return pack(row)
    if len(row[3]) <= _FEW:
        return pack(row)
    before, items, after = row[:3], row[3], row[4:]
    return b"".join((_SEVEN, pack(before)[1:], pack_hashes(items), pack(after)[1:]))


def _check_networks(places: Column, network: Network) -> None:
    """Rule 6.2."""
    others = set(zip(*columns_of(places, (int, bytes)), strict=True))
    others.discard((network.chain_id, network.registry))
    for chain_id, registry in others:
        raise WrongNetwork(f"a consent for {Network(chain_id, registry)}, not for {network}")


def _read_sponsor(value: Any) -> Sponsor | None:
    return None if value is None else Sponsor(*fields(value, (bytes, bytes)))


def _consent_struct(consent: Consent) -> list[Any]:
    return [
        consent.notice,
        consent.contributor,
        list(consent.parties),
        consent.grantee,
        consent.via,
        consent.content,
        consent.items,
        list(consent.purposes),
        consent.terms,
        consent.terms_uri,
        consent.guardian,
        consent.issued_at,
        consent.expires_at,
    ]


def _read_consents(
    network: Network,
    bodies: Sequence[bytes],
    structs: Column,
    items: Column,
    signatures: Column,
    places: Column,
    sponsors: Column,
) -> list[Envelope]:
    """Rules 3.1 to 3.7; any other notice than the computed one is invalid (rule 4.6)."""
    _check_networks(places, network)
    columns = columns_of(structs, _CONSENT_KINDS)
    check_all_of(columns[_PARTIES], bytes)
    check_all_of(columns[_PURPOSES], str)
    consents = consents_of(*columns)
    check_items(columns[_ITEMS], columns[_CONTENT], items)
    nodes, digests = map(_read_sponsor, sponsors), consent_digests(network, *columns)
    rows = zip(consents, repeat(network), signatures, items, nodes, digests, bodies, strict=False)
    return filled(Envelope, _ENVELOPE_NAMES, rows)


def _revocation_struct(revocation: Revocation) -> list[Any]:
    return [
        revocation.notice,
        revocation.contributor,
        list(revocation.scopes),
        [word.to_bytes(HASH_BYTES) for word in revocation.words],
        [mask.to_bytes(HASH_BYTES) for mask in revocation.masks],
    ]


def _read_revocation(
    network: Network, struct: Any, items: Sequence[Any], signature: bytes, place: Any, sponsor: Any
) -> Envelope:
    """Rules 3.8 and 3.9."""
    if items or place is not None or sponsor is not None:
        raise Malformed("a revocation has no items, network or sponsor")
    notice, contributor, scopes, words, masks = fields(struct, _REVOCATION_KINDS)
    revocation = Revocation(contributor, all_of(scopes, str), _numbers(words), _numbers(masks))
    if notice != revocation.notice:
        raise InvalidRevocation("the notice is not the one of a revocation")
    return Envelope(revocation, network, signature)


def _numbers(values: Sequence[Any]) -> tuple[int, ...]:
    if any(len(value) != HASH_BYTES for value in all_of(values, bytes)):
        raise Malformed("a word or mask is 32 bytes")
    return tuple(int.from_bytes(value) for value in values)
