"""The envelope: the encoded form of one message with its signature and sponsor.

Rule 6.2: `[version, kind, struct, items, signature, network, sponsor]`. `kind` is a key of KINDS, whose
row defines the struct. `items` are the item hashes of a consent. `network` is `[chain id, registry]` if
the kind is bound to one network, and otherwise nil. `sponsor` is nil or, if the kind is sponsored,
`[node key, signature]`. Numbers beyond 64 bits are 32 big-endian bytes. The digest names a message, not
its bytes.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import repeat
from typing import Any

from nacl.signing import SigningKey

from sayso_protocol.encoding.columns import Column, columns_of, filled
from sayso_protocol.encoding.packing import fields, pack, pack_hashes, unpack_unchecked
from sayso_protocol.errors import Malformed, NotSponsored, SaysoError, TooLarge, WrongNetwork
from sayso_protocol.limits import LIMITS
from sayso_protocol.messages.kinds import KINDS, Kind, kind_of
from sayso_protocol.messages.message import Message
from sayso_protocol.messages.typed_data import digest, digests
from sayso_protocol.network import Network
from sayso_protocol.signatures.nodes import SPONSOR, check_sponsor, sign_by_node
from sayso_protocol.signatures.wallets import Claim, WalletVerifier

ENVELOPE_VERSION = 1

_FEW = 32  # items
_SEVEN = pack([None] * 7)[:1]  # the header of an envelope's array
_HEAD = _SEVEN + bytes([ENVELOPE_VERSION])
_ENVELOPE_KINDS = (int, int, tuple, tuple, bytes, None, None)
_ENVELOPE_NAMES = ("message", "network", "signature", "items", "sponsor", "digest", "body")
_KIND = 1
_SIGNATURE = 2  # after version and kind


@dataclass(frozen=True)
class Sponsor:
    """Sponsor is the node that first accepted a consent, with its signature (rule 7.3).

    Attributes:
        node_key: Ed25519 public key, 32 bytes.
        signature: Ed25519 signature, 64 bytes.
    """

    node_key: bytes
    signature: bytes


@dataclass(frozen=True)
class Envelope:
    """Envelope is a signed message with its items and sponsor (rule 6.2).

    Attributes:
        message: The signed message.
        network: The network of a bound message; otherwise the network in which it was received.
        signature: The wallet's signature.
        items: The item hashes, in order.
        sponsor: The sponsor; None before a node took the message in, and for kinds without sponsors.
    """

    message: Message
    network: Network
    signature: bytes
    items: tuple[bytes, ...] = ()
    sponsor: Sponsor | None = None

    @cached_property
    def digest(self) -> bytes:
        """Return the digest that names the message, 32 bytes (rules 4.2 and 4.3)."""
        return digest(self.message, self.network)

    @cached_property
    def body(self) -> bytes:
        """Return the canonical bytes (rule 6.2); raises TooLarge."""
        return _packed(self)

    @property
    def claim(self) -> Claim:
        """Return the claim that the wallet's signature must prove (rule 4.4)."""
        return Claim._make((self.message.signer, self.digest, self.signature))

    def sponsored_by(self, key: SigningKey) -> "Envelope":
        """Return the envelope with the node of this key as its sponsor (rule 7.3)."""
        signature = sign_by_node(key, SPONSOR, self.digest)
        return replace(self, sponsor=Sponsor(bytes(key.verify_key), signature))

    def check_signatures(self, wallets: WalletVerifier) -> None:
        """Check the signatures of the wallet and the sponsor, if any (rules 4.4 and 4.5).

        Raises:
            BadSignature: A signature does not match; and the errors of `wallets`.
        """
        wallets.check(self.message.signer, self.digest, self.signature)
        if self.sponsor:
            check_sponsor(self.sponsor.node_key, self.digest, self.sponsor.signature)

    def check_sponsored(self) -> None:
        """Check that a message from a peer has the sponsor it needs (rule 7.5); raises NotSponsored."""
        if self.sponsor is None and (kind := kind_of(self.message)).is_sponsored:
            raise NotSponsored(f"no node signed for having taken this {kind.name} in")


def encode(envelope: Envelope) -> bytes:
    """Return the canonical bytes of an envelope (rule 6.2); raises TooLarge."""
    return envelope.body


def _packed(envelope: Envelope) -> bytes:
    message, sponsor, kind = envelope.message, envelope.sponsor, kind_of(envelope.message)
    data = pack(
        [
            ENVELOPE_VERSION,
            message.kind,
            [one.pack(getattr(message, attribute)) for _, attribute, one in kind.columns],
            list(envelope.items),
            envelope.signature,
            [envelope.network.chain_id, envelope.network.registry] if kind.is_bound else None,
            [sponsor.node_key, sponsor.signature] if sponsor else None,
        ]
    )
    if len(data) > LIMITS.message_bytes:
        raise TooLarge(f"the message has {len(data)} bytes, the limit is {LIMITS.message_bytes}")
    return data


def peek_kind(data: bytes) -> int | None:
    """Return the kind of an encoded envelope from its first bytes; None for an unknown kind."""
    kind = data[len(_HEAD)] if data.startswith(_HEAD) and len(data) > len(_HEAD) else None
    return kind if kind in KINDS else None


def decode(data: bytes, network: Network) -> Envelope:
    """Decode an envelope without checking its signatures (rule 6.2).

    Raises:
        Malformed: The bytes are not an envelope of this version.
        NotCanonical: The bytes are not the canonical encoding.
        TooLarge: The envelope exceeds 64 KiB, or its signature 8 KiB.
        InvalidConsent, InvalidRevocation, InvalidScope, InvalidPurpose: A field breaks a rule.
        WrongNetwork: The message is bound to another network.
    """
    return _decode([data], network)[0]


def decode_all(bodies: Sequence[bytes], network: Network) -> list[Envelope | SaysoError]:
    """Decode many envelopes together, and return for each the envelope or its error.

    This is much faster than repeated `decode`. Bisection finds the invalid ones, so that one of them
    does not slow down the others.
    """
    try:
        return [*_decode(bodies, network)] if bodies else []
    except SaysoError as error:
        if len(bodies) == 1:
            return [error]
        half = len(bodies) // 2
        return decode_all(bodies[:half], network) + decode_all(bodies[half:], network)


def _decode(bodies: Sequence[bytes], network: Network) -> list[Envelope]:
    """Decode envelopes; raises the error of an invalid one."""
    limit = LIMITS.message_bytes
    rows = [unpack_unchecked(data, max_bytes=limit, again=_pack_row) for data in bodies]
    versions, kinds, *columns = columns_of(rows, _ENVELOPE_KINDS)
    found = set(kinds)
    if {ENVELOPE_VERSION} != set(versions) or not KINDS.keys() >= found:
        raise Malformed("a message of an unknown version or kind")
    if max(map(len, columns[_SIGNATURE])) > LIMITS.wallet_signature_bytes:
        raise TooLarge(f"a signature has at most {LIMITS.wallet_signature_bytes} bytes")  # 4.4
    if len(found) == 1:
        return _read(KINDS[kinds[0]], network, bodies, *columns)
    return _in_turn(rows, bodies, network)


def _in_turn(rows: Sequence[Any], bodies: Sequence[bytes], network: Network) -> list[Envelope]:
    """Decode envelopes of several kinds, each kind together, in the original order."""
    read: dict[int, Envelope] = {}
    for number in {row[_KIND] for row in rows}:
        places = [at for at, row in enumerate(rows) if row[_KIND] == number]
        _, _, *columns = zip(*(rows[at] for at in places), strict=True)
        own = [bodies[at] for at in places]
        read |= zip(places, _read(KINDS[number], network, own, *columns), strict=True)
    return [read[at] for at in range(len(bodies))]


def _pack_row(row: Any) -> bytes:
    """Encode a decoded envelope; many item hashes are joined, which is faster than one by one."""
    if type(row) is not tuple or len(row) != len(_ENVELOPE_KINDS) or type(row[3]) is not tuple:
        return pack(row)
    if len(row[3]) <= _FEW:
        return pack(row)
    before, items, after = row[:3], row[3], row[4:]
    return b"".join((_SEVEN, pack(before)[1:], pack_hashes(items), pack(after)[1:]))


def _check_networks(kind: Kind, places: Column, network: Network) -> None:
    """Check rule 6.2.3."""
    if not kind.is_bound:
        if places.count(None) != len(places):
            raise Malformed(f"a {kind.name} has no network")
        return
    others = set(zip(*columns_of(places, (int, bytes)), strict=True))
    others.discard((network.chain_id, network.registry))
    for chain_id, registry in others:
        raise WrongNetwork(f"a {kind.name} for {Network(chain_id, registry)}, not for {network}")


def _read_sponsor(value: Any) -> Sponsor | None:
    return None if value is None else Sponsor(*fields(value, (bytes, bytes)))


def _read_sponsors(kind: Kind, values: Column) -> list[Sponsor | None]:
    if values.count(None) == len(values):
        return [*values]
    if not kind.is_sponsored:
        raise Malformed(f"a {kind.name} has no sponsor")
    return [*map(_read_sponsor, values)]


def _read(
    kind: Kind,
    network: Network,
    bodies: Sequence[bytes],
    structs: Column,
    items: Column,
    signatures: Column,
    places: Column,
    sponsors: Column,
) -> list[Envelope]:
    """Decode messages of one kind by columns (section 3, rules 4.6 and 6.2)."""
    _check_networks(kind, places, network)
    columns = columns_of(structs, kind.packed)
    for at, reader in kind.readers:
        columns[at] = reader(columns[at])
    messages = kind.read(columns)
    kind.check_items(columns, items)
    nodes, names = _read_sponsors(kind, sponsors), digests(kind, network, columns)
    rows = zip(messages, repeat(network), signatures, items, nodes, names, bodies, strict=False)
    return filled(Envelope, _ENVELOPE_NAMES, rows)
