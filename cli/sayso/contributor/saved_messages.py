"""Bundle files: signed messages, saved so that anybody can submit them later to any node."""

import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Final

from sayso.errors import NothingToRevoke, OtherStatements
from sayso.files import opening, reading
from sayso.node_client.answers import HeldLicense
from sayso.outputs import write_file
from sayso_protocol.errors import Malformed, TooLarge, Unsupported
from sayso_protocol.limits import LIMITS
from sayso_protocol.messages.consent import Consent
from sayso_protocol.messages.envelope import Envelope, decode, encode
from sayso_protocol.messages.message import Message, of_kind
from sayso_protocol.messages.typed_data import digest
from sayso_protocol.messages.wire import decode_bundle, encode_bundle
from sayso_protocol.network import Network
from sayso_protocol.primitives import hex_text
from sayso_protocol.signatures.wallets import EoaVerifier
from sayso_protocol.verdicts.verdict import License

PIECE_BYTES: Final = 65_536
MAX_BYTES: Final = LIMITS.items * (LIMITS.message_bytes + 8)  # as many messages as an array holds (6.1)


def check_fits(count: int) -> None:
    """Raise TooLarge for more messages than a file holds; called before they are signed."""
    if count > LIMITS.items:
        raise TooLarge(
            f"a file holds at most {LIMITS.items:,} messages, and these are {count:,}; name less at once"
        )


def bundle_bytes(envelopes: Sequence[Envelope]) -> bytes:
    """Encode messages as one bundle; raises TooLarge as check_fits."""
    check_fits(len(envelopes))
    return encode_bundle([encode(one) for one in envelopes])


def save_bundle(path: Path, envelopes: Sequence[Envelope]) -> None:
    """Write messages as one bundle; raises OutputFailed and TooLarge."""
    write_file(path, bundle_bytes(envelopes))


def load_bundle(path: Path, network: Network) -> list[Envelope]:
    """Read a bundle and verify its signatures, except those of contract wallets, which a node verifies.

    Raises:
        FileUnreadable: The file cannot be read.
        Malformed: It is not a file of signed messages.
        BadSignature: A wallet did not sign its message. See decode for the other errors.
    """
    data = read_bounded(path, MAX_BYTES)
    try:
        bundle = decode_bundle(data, MAX_BYTES)
    except Malformed as error:
        raise Malformed(f"{str(path)!r} is not a file of signed messages: {error}") from error
    envelopes = [decode(one, network) for one in bundle]
    for envelope in envelopes:
        with suppress(Unsupported):
            envelope.check_signatures(EoaVerifier())
    return envelopes


def read_bounded(path: Path, most: int) -> bytes:
    """Read at most `most` + 1 bytes of a file (`-` is standard input); raises FileUnreadable."""
    if str(path) == "-":
        with reading(path):
            return _read(sys.stdin.buffer, most + 1)
    with opening(path, forward=True) as file:
        return _read(file, most + 1)


def _read(file: IO[bytes], most: int) -> bytes:
    """Read in pieces, because Python reserves the memory for all that is asked for."""
    data = bytearray()
    while piece := file.read(min(PIECE_BYTES, most - len(data))):
        data += piece
    return bytes(data)


class GrowingBundle:
    """GrowingBundle is a bundle to which each message is written as soon as it is signed.

    Attributes:
        held: The signed messages by digest; empty without a file.

    Raises:
        FileUnreadable, BadSignature: As load_bundle.
    """

    def __init__(self, path: Path, network: Network) -> None:
        self._path, self._network = path, network
        found = load_bundle(path, network) if path.exists() else []
        self.held = {one.digest: one for one in found}

    def sign(self, messages: Sequence[Message], sign: Callable[[Message], Envelope]) -> None:
        """Sign the messages that the file does not hold; raises OtherStatements and as `sign`."""
        order = {digest(one, self._network): one for one in messages}
        if self.held.keys() - order.keys():
            raise OtherStatements(f"{str(self._path)!r} holds other messages; name another file")
        for name, message in order.items():
            if name not in self.held:
                self.held[name] = sign(message)
                save_bundle(self._path, [self.held[one] for one in order if one in self.held])


class SavedLicenses:
    """SavedLicenses serves the consents of a bundle, to plan a revocation without a node."""

    def __init__(self, envelopes: Iterable[Envelope]) -> None:
        self._held = {
            one.digest: HeldLicense(one.digest, License(consent, one.items), 0)
            for one, consent in of_kind(envelopes, Consent)
        }

    async def license(self, license_hash: bytes) -> HeldLicense:
        """Return one license; raises NothingToRevoke if the file does not contain it."""
        if license_hash not in self._held:
            raise NothingToRevoke(f"the file holds no license {hex_text(license_hash)}")
        return self._held[license_hash]

    async def licenses_of(
        self, contributor: bytes, *, via: str | None = None, grantee: bytes | None = None
    ) -> list[HeldLicense]:
        """Return the licenses of an address, 20 bytes, and of one marketplace or to one grantee."""
        consents = ((one, one.license.consent) for one in self._held.values())
        return [
            one
            for one, consent in consents
            if consent.contributor == contributor
            and via in (None, consent.via)
            and grantee in (None, consent.grantee)
        ]
