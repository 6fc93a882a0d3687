"""Revocations from scopes or bits, as few as possible.

Scopes also cover licenses that are not known; bits cover permissions of one license. `permissions_hit`
counts the covered permissions, which a person sees before signing.
"""

from collections.abc import Iterable, Sequence

from sayso.errors import NothingToRevoke
from sayso_protocol.limits import LIMITS
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.permissions.scopes import Scope, file_subject
from sayso_protocol.permissions.words import Masks
from sayso_protocol.primitives import hex_text
from sayso_protocol.verdicts.bulk import revoked_masks
from sayso_protocol.verdicts.known_bits import RevokedBits
from sayso_protocol.verdicts.verdict import License


def license_masks(held: License, items: Iterable[bytes] = (), purposes: Iterable[str] = ()) -> Masks:
    """Return the bits of items for purposes; without items or purposes, all of them.

    Raises:
        NothingToRevoke: The license has no such item or purpose.
    """
    consent, chosen, named = held.consent, list(items), list(purposes)
    if not chosen and not named:
        return consent.license_masks
    for item in chosen:
        if held.position_of(item) is None:
            raise NothingToRevoke(f"the license has no item {hex_text(item)}")
    for purpose in named:
        if purpose not in consent.purposes:
            raise NothingToRevoke(f"the license does not give {purpose}")
    places = map(held.position_of, chosen)
    rows = [one for one in places if one is not None] or range(consent.items)
    return consent.masks(rows, named or consent.purposes)


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
    masks = revoked_masks(RevokedBits(revocations), held.consent, held.items)
    return sum(mask.bit_count() for mask in masks)
