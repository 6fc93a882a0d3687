"""The envelope: the encoded form of one message with its signature and sponsor.

Rule 6.2: `[version, kind, struct, items, signature, network, sponsor]`. `kind` is a key of KINDS, whose
row defines the struct. `items` are the item hashes of a consent. `network` is the `[chain id, registry]`
under which the message was signed. `sponsor` is nil or, if the kind is sponsored,
`[node key, signature]`. Numbers beyond 64 bits are 32 big-endian bytes. The digest names a message, not
its bytes.
"""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import repeat
from typing import Any, Final, NoReturn

from nacl.signing import SigningKey

from sayso_protocol.encoding.columns import Column, filled
from sayso_protocol.encoding.packing import pack
from sayso_protocol.errors import (
    BadSignature,
    Malformed,
    NotSponsored,
    SaysoError,
    TooLarge,
    Unsupported,
    WrongNetwork,
)
from sayso_protocol.limits import LIMITS
from sayso_protocol.messages.kinds import KINDS, Kind, kind_of
from sayso_protocol.messages.message import Message
from sayso_protocol.messages.typed_data import digest, digests
from sayso_protocol.network import Network
from sayso_protocol.signatures.nodes import SPONSOR, check_sponsor, sign_by_node
from sayso_protocol.signatures.wallets import EOA_SIGNATURE_BYTES, Claim, WalletVerifier

ENVELOPE_VERSION = 1

_HEAD = pack([ENVELOPE_VERSION, *[None] * 6])[:2]  # of an envelope's array: its header and the version
_ENVELOPE_NAMES = ("message", "network", "signature", "items", "sponsor", "digest", "body")
_UNREAD: Final = Malformed("not read")
_KIND = 1
_SIGNATURE = 4
_PLACE = 5


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
        network: The network under which the message was signed.
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
        """Return the digest that names the message, 32 bytes (rule 4.3.1)."""
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
        """Check the signatures of the sponsor, if any, and the wallet (rules 4.4 and 4.5).

        The sponsor's is first, so that no wallet that only the chain can judge hides a wrong one.

        Raises:
            BadSignature: A signature does not match; and the errors of `wallets`.
            Unsupported: A statement has no signature: its signer endorses it on the chain (rule 4.8).
        """
        if self.sponsor:
            check_sponsor(self.sponsor.node_key, self.digest, self.sponsor.signature)
        if kind_of(self.message).is_endorsable and len(self.signature) != EOA_SIGNATURE_BYTES:
            if self.signature:
                raise BadSignature("a statement's signature has 65 bytes, or none if it is endorsed")
            raise Unsupported("only the chain shows whether the signer endorsed this statement")
        wallets.check(self.message.signer, self.digest, self.signature)

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
            [envelope.network.chain_id, envelope.network.registry],
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
    """Decode an envelope for a network without checking its signatures (rule 6.2).

    Raises:
        Malformed: The bytes are not an envelope of this version.
        NotCanonical: The bytes are not the canonical encoding.
        TooLarge: The envelope exceeds 64 KiB, or its signature 8 KiB.
        InvalidConsent, InvalidRevocation, InvalidScope, InvalidPurpose: A field breaks a rule.
        WrongNetwork: The message is for another network.
    """
    return _read_all([_row(data)], [data], network)[0]


def decode_stated(data: bytes) -> Envelope:
    """Decode an envelope for the network that it names; raises as `decode`."""
    row = _row(data)
    return _read_all([row], [data], Network(*row[_PLACE]))[0]


def decode_all(bodies: Sequence[bytes], network: Network) -> list[Envelope | SaysoError]:
    """Decode many envelopes together, and return for each the envelope or its error.

    This is much faster than repeated `decode`. Each is read once; bisection finds those whose fields
    break a rule, so that one of them does not slow down the others.
    """
    found: list[Envelope | SaysoError] = []
    rows: list[tuple[Any, ...]] = []
    places: list[int] = []
    for at, data in enumerate(bodies):
        try:
            rows.append(_row(data))
        except SaysoError as error:
            found.append(error)
        else:
            places.append(at)
            found.append(_UNREAD)
    read = _read_each(rows, [bodies[at] for at in places], network)
    for at, one in zip(places, read, strict=True):
        found[at] = one
    return found


def _row(data: bytes) -> tuple[Any, ...]:
    """Decode the fields of an envelope; raises Malformed, NotCanonical or TooLarge."""
    kind = peek_kind(data)
    row = _odd_row(data) if kind is None else KINDS[kind].envelope.read(data)
    if len(row[_SIGNATURE]) > LIMITS.wallet_signature_bytes:
        raise TooLarge(f"a signature has at most {LIMITS.wallet_signature_bytes} bytes")  # 4.4
    return row


def _odd_row(data: bytes) -> NoReturn:
    """Refuse bytes that do not begin as an envelope of any kind."""
    for kind in KINDS.values():
        with suppress(Malformed):
            kind.envelope.read(data)  # another form of an envelope is not canonical
    raise Malformed("a message of an unknown version or kind")


def _read_each(
    rows: Sequence[tuple[Any, ...]], bodies: Sequence[bytes], network: Network
) -> list[Envelope | SaysoError]:
    try:
        return [*_read_all(rows, bodies, network)] if rows else []
    except SaysoError as error:
        if len(rows) == 1:
            return [error]
        half = len(rows) // 2
        first = _read_each(rows[:half], bodies[:half], network)
        return first + _read_each(rows[half:], bodies[half:], network)


def _read_all(
    rows: Sequence[tuple[Any, ...]], bodies: Sequence[bytes], network: Network
) -> list[Envelope]:
    """Read envelopes from their fields; raises the error of an invalid one."""
    kinds = {row[_KIND] for row in rows}
    if len(kinds) == 1:
        _, _, *columns = zip(*rows, strict=True)
        return _read(KINDS[kinds.pop()], network, bodies, *columns)
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


def _read_networks(kind: Kind, places: Column, network: Network) -> Iterable[Network]:
    """Return the network of each message, which `network` accepts (rules 6.2.3 to 6.2.5)."""
    others = {place: Network(*place) for place in set(places) - {(network.chain_id, network.registry)}}
    if not others:
        return repeat(network)
    for other in others.values():
        if kind.is_bound or other.registry != network.registry:
            raise WrongNetwork(f"a {kind.name} for {other}, not for {network}")
    return [others.get(place, network) for place in places]


def _read_sponsors(kind: Kind, values: Column) -> list[Sponsor | None]:
    if values.count(None) == len(values):
        return [*values]
    if not kind.is_sponsored:
        raise Malformed(f"a {kind.name} has no sponsor")
    return [value and Sponsor(*value) for value in values]


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
    networks = _read_networks(kind, places, network)
    columns: list[Column] = [*zip(*structs, strict=True)]
    for at, reader in kind.readers:
        columns[at] = reader(columns[at])
    messages = kind.read(columns)
    kind.check_items(columns, items)
    nodes, names = _read_sponsors(kind, sponsors), digests(kind, networks, columns)
    rows = zip(messages, networks, signatures, items, nodes, names, bodies, strict=False)
    return filled(Envelope, _ENVELOPE_NAMES, rows)
