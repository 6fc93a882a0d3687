"""Licensing: signed consents from item hashes and terms.

One consent holds up to 1,024 items; more items need more consents on the same terms. Files with the same
bytes are one item.

    granted = grant(account, network, hashed_files, terms, now)
    await node.submit(granted.envelopes)
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from eth_account.signers.local import LocalAccount
from eth_typing import Hash32

from sayso.contributor.signers import ExternalSigner
from sayso.files import HashedFile
from sayso_protocol.encoding.merkle import content_root
from sayso_protocol.limits import LIMITS
from sayso_protocol.messages.consent import RECHECK_HOURS, REMOVAL_DAYS, Consent
from sayso_protocol.messages.envelope import Envelope
from sayso_protocol.messages.message import Message
from sayso_protocol.messages.typed_data import digest
from sayso_protocol.network import Network
from sayso_protocol.primitives import HASH_BYTES, NOBODY, address_from_text

Account = LocalAccount | ExternalSigner  # a signer; both types have `address` as text


@dataclass(frozen=True)
class Terms:
    """Terms holds the fields of a consent that do not depend on its items.

    Attributes:
        grantee: The address that is licensed, 20 bytes; zero means anyone.
        purposes: Purposes, in any order.
        expires_at: Seconds since the epoch.
        via: The domain of the marketplace, or empty.
        parties: The other people whose consent the content needs, in any order.
        guardian: The address that may also revoke, 20 bytes; zero means nobody.
        terms: SHA-256 of the license text, 32 bytes; zero for none.
        terms_uri: The https address of the license text, or empty.
        recheck_hours: For so many hours an answer about the license may be relied on.
        removal_days: Within so many days of a revocation, holders remove what is revoked.
    """

    grantee: bytes
    purposes: tuple[str, ...]
    expires_at: int
    via: str = ""
    parties: tuple[bytes, ...] = ()
    guardian: bytes = NOBODY
    terms: bytes = bytes(HASH_BYTES)
    terms_uri: str = ""
    recheck_hours: int = RECHECK_HOURS
    removal_days: int = REMOVAL_DAYS


@dataclass(frozen=True)
class SignedGrant:
    """SignedGrant holds signed consents, and each file with the license hash of its manifest row."""

    envelopes: tuple[Envelope, ...]
    rows: tuple[tuple[HashedFile, bytes], ...]


def sign_message(
    account: Account, message: Message, network: Network, items: tuple[bytes, ...] = ()
) -> Envelope:
    """Sign a message as its contributor (rule 4.4).

    Raises:
        SignerFailed: The external signer refused or did not answer.
        BadSignature: The external signer signed something else.
    """
    if isinstance(account, ExternalSigner):
        return account.sign_message(message, network, items)
    # This digest is computed from the fields; tests compare it with eth-account's EIP-712.
    signature = account.unsafe_sign_hash(Hash32(digest(message, network))).signature
    return Envelope(message, network, bytes(signature), items)


def build_consents(
    contributor: bytes, items: Iterable[bytes], terms: Terms, issued_at: int
) -> Iterator[tuple[Consent, tuple[bytes, ...]]]:
    """Yield the fewest consents for the items, each with its items, in order; raises InvalidConsent."""
    unique = list(dict.fromkeys(items))
    for start in range(0, len(unique), LIMITS.items):
        part = tuple(unique[start : start + LIMITS.items])
        consent = Consent(
            contributor=contributor,
            parties=tuple(sorted({contributor, *terms.parties})),
            grantee=terms.grantee,
            via=terms.via,
            content=content_root(part),
            items=len(part),
            purposes=tuple(sorted(set(terms.purposes))),
            terms=terms.terms,
            terms_uri=terms.terms_uri,
            guardian=terms.guardian,
            issued_at=issued_at,
            expires_at=terms.expires_at,
            recheck_hours=terms.recheck_hours,
            removal_days=terms.removal_days,
        )
        yield consent, part


def grant(
    account: Account,
    network: Network,
    files: Sequence[HashedFile],
    terms: Terms,
    issued_at: int,
) -> SignedGrant:
    """Sign the consents for these files; raises InvalidConsent, InvalidPurpose, InvalidScope."""
    contributor = address_from_text(account.address)
    items = (file.item for file in files)
    envelopes = tuple(
        sign_message(account, consent, network, part)
        for consent, part in build_consents(contributor, items, terms, issued_at)
    )
    license_of = {item: envelope.digest for envelope in envelopes for item in envelope.items}
    return SignedGrant(envelopes, tuple((file, license_of[file.item]) for file in files))
