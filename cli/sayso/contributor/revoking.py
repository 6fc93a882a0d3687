"""Revoking: what a person wants back, as the fewest revocations that say it.

Either sentences (scopes), which reach licenses seen and unseen, or permissions of one license by their
bits. `permissions_hit` counts what a revocation covers, so that a person sees it before signing.
"""

from collections.abc import Iterable, Sequence

from sayso.errors import NothingToRevoke
from sayso_protocol.limits import LIMITS
from sayso_protocol.messages.consent import Consent
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.permissions.bits import merged
from sayso_protocol.permissions.scopes import Scope, file_subject
from sayso_protocol.permissions.words import Masks
from sayso_protocol.primitives import hex_text
from sayso_protocol.verdicts.verdict import License


def license_masks(held: License, items: Iterable[bytes] = (), purposes: Iterable[str] = ()) -> Masks:
    """The bits of some items for some purposes; of all, where none is named.

    Raises:
        NothingToRevoke: The license has no such item or purpose.
    """
    consent, chosen, named = held.consent, list(items), list(purposes)
    if not chosen and not named:
        return consent.license_masks
    for item in chosen:
        if item not in held.positions:
            raise NothingToRevoke(f"the license has no item {hex_text(item)}")
    for purpose in named:
        if purpose not in consent.purposes:
            raise NothingToRevoke(f"the license does not give {purpose}")
    rows = [held.positions[item] for item in chosen] or range(consent.items)
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
    everything = held.consent.masks(range(held.consent.items), held.consent.purposes)
    hit: Masks = {}
    for revocation in revocations:
        hit = merged(hit, _masks_hit(revocation, held))
    return sum((mask & everything.get(word, 0)).bit_count() for word, mask in hit.items())


def _masks_hit(revocation: Revocation, held: License) -> Masks:
    """The license's bits that one revocation covers by its words or by its sentences."""
    consent = held.consent
    own = revocation.contributor == consent.contributor
    hit: Masks = dict(zip(revocation.words, revocation.masks, strict=True)) if own else {}
    for text in revocation.scopes:
        scope = Scope.parse(text)
        if _speaks_for(scope, revocation.contributor, consent):
            hit = merged(hit, _scope_masks(scope, held))
    return hit


def _speaks_for(scope: Scope, signer: bytes, consent: Consent) -> bool:
    """Whether the signer may say this of the consent: its contributor, or its guardian for a ward."""
    if scope.ward is None:
        return signer == consent.contributor
    return scope.ward == consent.contributor and signer == consent.guardian


def _scope_masks(scope: Scope, held: License) -> Masks:
    consent = held.consent
    kind, _, value = scope.subject.partition(" ")
    rows: Iterable[int] = range(consent.items)
    if kind == "via" and value != consent.via:
        rows = ()
    elif kind == "file":
        position = held.positions.get(bytes.fromhex(value.removeprefix("0x")))
        rows = () if position is None else (position,)
    if scope.purpose is None:
        return consent.masks(rows, consent.purposes)
    return consent.masks(rows, {scope.purpose} & set(consent.purposes))
