"""Revocations from scopes or bits, as few as possible.

Scopes also cover licenses that are not known; bits cover some items of one license, and the scope
`agreement` covers all of it (rule 5.8). `permissions_hit` counts the covered permissions, which a person
sees before signing.
"""

from collections.abc import Iterable, Sequence

from sayso.errors import NothingToRevoke
from sayso_protocol.limits import LIMITS
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.permissions.scopes import Scope, agreement_subject, file_subject
from sayso_protocol.permissions.words import Masks
from sayso_protocol.primitives import hex_text
from sayso_protocol.verdicts.bulk import revoked_masks
from sayso_protocol.verdicts.known_bits import KnownBits, RevokedBits
from sayso_protocol.verdicts.verdict import License


def license_masks(held: License, items: Iterable[bytes], purposes: Sequence[str] = ()) -> Masks:
    """Return the bits of some items of a license for purposes; without purposes, for every purpose.

    Raises:
        NothingToRevoke: The license has no such item or purpose.
    """
    rows = []
    for item in items:
        if (position := held.position_of(item)) is None:
            raise NothingToRevoke(f"the license has no item {hex_text(item)}")
        rows.append(position)
    return held.consent.masks(rows, _given(held, purposes) or held.consent.purposes)


def license_scopes(
    held: License, purposes: Sequence[str] = (), ward: bytes | None = None
) -> list[Scope]:
    """Return the scopes that revoke a whole license (rule 5.8); without purposes, for every purpose.

    Args:
        held: The license.
        purposes: Some of its purposes.
        ward: Its contributor, if the guardian revokes.

    Raises:
        NothingToRevoke: The license has no such purpose.
    """
    subject = agreement_subject(held.consent.agreement)
    return [Scope(subject, purpose, ward) for purpose in _given(held, purposes) or (None,)]


def _given(held: License, purposes: Sequence[str]) -> Sequence[str]:
    for purpose in purposes:
        if purpose not in held.consent.purposes:
            raise NothingToRevoke(f"the license does not give {purpose}")
    return purposes


def file_scopes(items: Iterable[bytes], purposes: Sequence[str] = ()) -> list[Scope]:
    """Return the scopes that revoke files, given by item hash, in every license."""
    return with_purposes([file_subject(item) for item in items], purposes)


def with_purposes(subjects: Iterable[str], purposes: Sequence[str]) -> list[Scope]:
    """Return a scope for each subject and purpose; without purposes, for every purpose."""
    return [Scope(subject, purpose) for subject in subjects for purpose in purposes or (None,)]


def revoke_masks(contributor: bytes, masks: Masks) -> list[Revocation]:
    """Return the fewest revocations with these words, at most 64 words each."""
    pairs = sorted(masks.items())
    parts = [pairs[start : start + LIMITS.words] for start in range(0, len(pairs), LIMITS.words)]
    return [
        Revocation(
            contributor,
            words=tuple(word for word, _ in part),
            masks=tuple(mask for _, mask in part),
        )
        for part in parts
    ]


def revoke_scopes(contributor: bytes, scopes: Iterable[Scope]) -> list[Revocation]:
    """Return the fewest revocations with these scopes, at most 16 scopes each."""
    texts = list(dict.fromkeys(scope.text for scope in scopes))
    starts = range(0, len(texts), LIMITS.scopes)
    return [
        Revocation(contributor, scopes=tuple(texts[start : start + LIMITS.scopes])) for start in starts
    ]


def permissions_hit(revocations: Iterable[Revocation], held: License) -> int:
    """Return the number of a license's permissions that revocations cover, each counted once."""
    return bits_hit(RevokedBits(revocations), held)


def bits_hit(known: KnownBits, held: License) -> int:
    """Return the number of a license's permissions that known bits cover, each counted once."""
    return sum(mask.bit_count() for mask in revoked_masks(known, held.consent, held.items))
