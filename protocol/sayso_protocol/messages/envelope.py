"""The envelope: a message with what is needed to verify and to use it.

Rule 6.2: `[version, kind, struct, items, signature, network, sponsor]`. `kind` is a key of KINDS, whose
row says what the struct is. `items` are the item hashes of a consent. `network` is
`[chain id, registry]` of what is bound to one network, and nil for what is good everywhere. `sponsor` is
nil, or of a kind that is sponsored `[node key, signature]`. Numbers beyond 64 bits are 32 big-endian
bytes. The identity of a message is its digest, never its bytes.
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
    """The node that took a message in, and its signature over the digest.

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
        message: What was signed.
        network: The network it was signed for; if it is good on all, the one it travels in.
        signature: The wallet's signature.
        items: The hashes that travel beside it, in order.
        sponsor: The sponsor, or None before a node took it in; always None of a kind without sponsors.
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
        return Claim._make((self.message.signer, self.digest, self.signature))

    def sponsored_by(self, key: SigningKey) -> "Envelope":
        """The same envelope with this node as its sponsor."""
        signature = sign_by_node(key, SPONSOR, self.digest)
        return replace(self, sponsor=Sponsor(bytes(key.verify_key), signature))

    def check_signatures(self, wallets: WalletVerifier) -> None:
        """Check the wallet's signature, and the sponsor's if there is one; raises BadSignature."""
        wallets.check(self.message.signer, self.digest, self.signature)
        if self.sponsor:
            check_sponsor(self.sponsor.node_key, self.digest, self.sponsor.signature)

    def check_sponsored(self) -> None:
        """Rule 7.3: between peers a consent needs a sponsor; raises NotSponsored."""
        if self.sponsor is None and (kind := kind_of(self.message)).is_sponsored:
            raise NotSponsored(f"no node signed for having taken this {kind.name} in")


def encode(envelope: Envelope) -> bytes:
    """The canonical bytes of an envelope; raises TooLarge."""
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
    """The kind that bytes begin with if they are an envelope: nothing else of them is looked at."""
    kind = data[len(_HEAD)] if data.startswith(_HEAD) and len(data) > len(_HEAD) else None
    return kind if kind in KINDS else None


def decode(data: bytes, network: Network) -> Envelope:
    """Read an envelope; its signatures are still to be checked.

    Raises:
        Malformed: Not an envelope of this version.
        NotCanonical: Another encoding of it exists.
        TooLarge: More than 64 KiB, or a signature of more than 8 KiB.
        InvalidConsent: A field breaks a rule. InvalidRevocation, InvalidScope, InvalidPurpose likewise.
        WrongNetwork: Something bound to another network.
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
    found = set(kinds)
    if {ENVELOPE_VERSION} != set(versions) or not KINDS.keys() >= found:
        raise Malformed("a message of an unknown version or kind")
    if max(map(len, columns[_SIGNATURE])) > LIMITS.wallet_signature_bytes:
        raise TooLarge(f"a signature has at most {LIMITS.wallet_signature_bytes} bytes")  # 4.4
    if len(found) == 1:
        return _read(KINDS[kinds[0]], network, bodies, *columns)
    return _in_turn(rows, bodies, network)


def _in_turn(rows: Sequence[Any], bodies: Sequence[bytes], network: Network) -> list[Envelope]:
    """Kinds that are mixed, each read by itself and put back where it was."""
    read: dict[int, Envelope] = {}
    for number in {row[_KIND] for row in rows}:
        places = [at for at, row in enumerate(rows) if row[_KIND] == number]
        _, _, *columns = zip(*(rows[at] for at in places), strict=True)
        own = [bodies[at] for at in places]
        read |= zip(places, _read(KINDS[number], network, own, *columns), strict=True)
    return [read[at] for at in range(len(bodies))]


def _pack_row(row: Any) -> bytes:
    """Pack what may be an envelope; many item hashes take less time joined than one by one."""
    if type(row) is not tuple or len(row) != len(_ENVELOPE_KINDS) or type(row[3]) is not tuple:
        return pack(row)
    if len(row[3]) <= _FEW:
        return pack(row)
    before, items, after = row[:3], row[3], row[4:]
    return b"".join((_SEVEN, pack(before)[1:], pack_hashes(items), pack(after)[1:]))


def _check_networks(kind: Kind, places: Column, network: Network) -> None:
    """Rule 6.2."""
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
    """Messages of one kind, a column of a table at a time (rules of section 3, 4.6 and 6.2)."""
    _check_networks(kind, places, network)
    columns = columns_of(structs, kind.packed)
    for at, reader in kind.readers:
        columns[at] = reader(columns[at])
    messages = kind.read(columns)
    kind.check_items(columns, items)
    nodes, names = _read_sponsors(kind, sponsors), digests(kind, network, columns)
    rows = zip(messages, repeat(network), signatures, items, nodes, names, bodies, strict=False)
    return filled(Envelope, _ENVELOPE_NAMES, rows)
