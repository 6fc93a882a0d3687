"""The envelope: a message with what is needed to verify and to use it.

Rule 6.2: `[version, kind, struct, items, signature, network, sponsor]`. `kind` 1 is a consent, 2 a
revocation. `items` are the item hashes of a consent. `network` is `[chain id, registry]` of a consent
and nil for a revocation, which is good everywhere. `sponsor` is nil, or of a consent
`[node key, signature]`. Numbers beyond 64 bits are 32 big-endian bytes. The identity of a message is
its digest, never its bytes.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from nacl.signing import SigningKey

from sayso_protocol.errors import (
    InvalidConsent,
    InvalidRevocation,
    Malformed,
    NotSponsored,
    TooLarge,
    WrongNetwork,
)
from sayso_protocol.limits import LIMITS
from sayso_protocol.messages import Consent, Message, Revocation
from sayso_protocol.packing import all_of, fields, pack, unpack
from sayso_protocol.primitives import HASH_BYTES
from sayso_protocol.signatures import SPONSOR, WalletVerifier, check_sponsor, sign_by_node
from sayso_protocol.typed_data import Network, digest

VERSION = 1
CONSENT, REVOCATION = 1, 2

_CONSENT_KINDS = (str, bytes, list, bytes, str, bytes, int, list, bytes, str, bytes, int, int)
_REVOCATION_KINDS = (str, bytes, list, list, list)


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
    message, sponsor = envelope.message, envelope.sponsor
    is_consent = isinstance(message, Consent)
    data = pack(
        [
            VERSION,
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


def decode(data: bytes, network: Network) -> Envelope:
    """Read an envelope; its signatures are still to be checked.

    Raises:
        Malformed: Not an envelope of this version.
        NotCanonical: Another encoding of it exists.
        TooLarge: More than 64 KiB.
        InvalidConsent: A field breaks a rule. InvalidRevocation, InvalidScope, InvalidPurpose likewise.
        WrongNetwork: A consent for another network.
    """
    value = unpack(data, max_bytes=LIMITS.message_bytes)
    if not isinstance(value, list) or len(value) != 7:
        raise Malformed("an envelope is an array of 7 fields")
    version, kind, struct, items, signature, place, sponsor = value
    if version != VERSION or kind not in (CONSENT, REVOCATION):
        raise Malformed("a message of an unknown version or kind")
    fields([items, signature], (list, bytes))
    if kind == REVOCATION:
        if items or place is not None or sponsor is not None:
            raise Malformed("a revocation has no items, network or sponsor")
        return Envelope(_read_revocation(struct), network, signature)
    if Network(*fields(place, (int, bytes))) != network:
        raise WrongNetwork(f"this consent is not for {network}")
    consent, hashes = _read_consent(struct), all_of(items, bytes)
    consent.check_items(hashes)
    return Envelope(consent, network, signature, hashes, _read_sponsor(sponsor))


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


def _read_consent(struct: Any) -> Consent:
    """Rules 3.1 to 3.7; any other notice than the computed one is invalid (rule 4.6)."""
    notice, contributor, parties, grantee, via, content, count, purposes, *rest = fields(
        struct, _CONSENT_KINDS
    )
    consent = Consent(
        contributor,
        all_of(parties, bytes),
        grantee,
        via,
        content,
        count,
        all_of(purposes, str),
        *rest,
    )
    if notice != consent.notice:
        raise InvalidConsent("the notice is not the sentence that its fields give")
    return consent


def _revocation_struct(revocation: Revocation) -> list[Any]:
    return [
        revocation.notice,
        revocation.contributor,
        list(revocation.scopes),
        [word.to_bytes(HASH_BYTES) for word in revocation.words],
        [mask.to_bytes(HASH_BYTES) for mask in revocation.masks],
    ]


def _read_revocation(struct: Any) -> Revocation:
    """Rules 3.8 and 3.9."""
    notice, contributor, scopes, words, masks = fields(struct, _REVOCATION_KINDS)
    revocation = Revocation(contributor, all_of(scopes, str), _numbers(words), _numbers(masks))
    if notice != revocation.notice:
        raise InvalidRevocation("the notice is not the one of a revocation")
    return revocation


def _numbers(values: list[Any]) -> tuple[int, ...]:
    if any(len(value) != HASH_BYTES for value in all_of(values, bytes)):
        raise Malformed("a word or mask is 32 bytes")
    return tuple(int.from_bytes(value) for value in values)
