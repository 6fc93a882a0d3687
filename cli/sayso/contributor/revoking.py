"""Revoking: what a person wants back, as the fewest revocations that say it.

Either sentences (scopes), which reach licenses seen and unseen, or permissions of one license by their
bits. `permissions_hit` counts what a revocation covers, so that a person sees it before signing.
"""

from collections.abc import Iterable, Sequence

from sayso.errors import NothingToRevoke
from sayso_protocol.limits import LIMITS
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.permissions.scopes import Scope, file_subject
from sayso_protocol.permissions.words import Masks
from sayso_protocol.primitives import hex_text
from sayso_protocol.verdicts.bulk import revoked_masks
from sayso_protocol.verdicts.verdict import License, RevokedBits


def license_masks(held: License, items: Iterable[bytes] = (), purposes: Iterable[str] = ()) -> Masks:
    """The bits of some items for some purposes; of all, where none is named.

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
    """Sentences that take files back from every license, by their hashes."""
    return with_purposes([file_subject(item) for item in items], purposes)


def with_purposes(subjects: Iterable[str], purposes: Sequence[str]) -> list[Scope]:
    """Each subject for each purpose; for every purpose where none is named."""
    return [Scope(subject, purpose) for subject in subjects for purpose in purposes or (None,)]


def revoke_masks(contributor: bytes, masks: Masks) -> list[Revocation]:
    """As few revocations as hold these words, at most 64 each."""
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
    """As few revocations as hold these sentences, at most 16 each."""
    texts = list(dict.fromkeys(scope.text for scope in scopes))
    starts = range(0, len(texts), LIMITS.scopes)
    return [
        Revocation(contributor, scopes=tuple(texts[start : start + LIMITS.scopes])) for start in starts
    ]


def permissions_hit(revocations: Iterable[Revocation], held: License) -> int:
    """How many permissions of a license these revocations cover, each counted once."""
    masks = revoked_masks(RevokedBits(revocations), held.consent, held.items)
    return sum(mask.bit_count() for mask in masks)
