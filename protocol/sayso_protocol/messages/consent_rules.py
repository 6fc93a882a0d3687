"""The rules of valid consents (3.1 to 3.7), checked for many consents a column at a time.

The loops over a column run in C, and shared values, such as purposes and marketplaces, are checked once.
Beside the signature, these checks are most of the cost of verification. One consent is a table of one
row.
"""

import re
from collections.abc import Iterable, Sequence
from itertools import chain
from operator import contains, eq, lt, sub

import numpy as np

from sayso_protocol.encoding.merkle import joined_root
from sayso_protocol.errors import InvalidConsent, Malformed
from sayso_protocol.limits import LIMITS
from sayso_protocol.permissions.purposes import check_purpose
from sayso_protocol.permissions.scopes import check_domain
from sayso_protocol.primitives import ADDRESS_BYTES, HASH_BYTES, NOBODY

Hashes = tuple[bytes, ...]
Names = tuple[str, ...]

TERMS_URI = re.compile(r"https://[!-\"$->@-~]+", re.ASCII)  # printable, without # and ?
_FEW = 32  # items
LATEST = 253_402_300_799  # 9999-12-31: the notice writes the date in four digits


def check_consents(
    contributors: Sequence[bytes],
    parties: Sequence[Hashes],
    grantees: Sequence[bytes],
    vias: Sequence[str],
    contents: Sequence[bytes],
    items: Sequence[int],
    purposes: Sequence[Names],
    terms: Sequence[bytes],
    terms_uris: Sequence[str],
    guardians: Sequence[bytes],
    issued_at: Sequence[int],
    expires_at: Sequence[int],
    recheck_hours: Sequence[int],
    removal_days: Sequence[int],
) -> None:
    """Check the fields of at least one consent (rules 3.1 to 3.6).

    Raises:
        InvalidConsent, InvalidPurpose, InvalidScope: A consent breaks a rule.
    """
    _require_sizes(chain(contributors, grantees, guardians, *parties), ADDRESS_BYTES, "an address")
    _check_parties(contributors, parties)
    _require_range(items, LIMITS.items, "items")  # 3.2
    _require_sizes(chain(contents, terms), HASH_BYTES, "a hash")
    for names in set(purposes):
        _check_purposes(names)
    _check_times(issued_at, expires_at)
    _require_range(recheck_hours, LIMITS.recheck_hours, "recheckHours")
    _require_range(removal_days, LIMITS.removal_days, "removalDays")
    for uri in set(terms_uris):
        _check_terms_uri(uri)
    for via in set(vias) - {""}:
        check_domain(via)  # 3.6


def check_items(counts: Sequence[int], contents: Sequence[bytes], lists: Sequence[Hashes]) -> None:
    """Check the item hashes of each consent (rule 3.7); raises InvalidConsent and Malformed."""
    if not all(map(eq, map(len, lists), counts)):
        raise InvalidConsent("the number of item hashes differs from `items`")
    try:
        joined = list(map(b"".join, lists))
    except TypeError as error:  # joining is the cheapest check of so many types
        raise Malformed("an item hash is 32 bytes") from error
    if any([*map(len, items)].count(HASH_BYTES) != len(items) for items in lists):
        raise InvalidConsent("an item hash has 32 bytes")
    if not all(map(_are_distinct, lists, joined)):
        raise InvalidConsent("an item hash occurs twice")
    if not all(map(eq, map(joined_root, joined), contents)):
        raise InvalidConsent("the item hashes do not give `content`")


def _are_distinct(hashes: Hashes, joined: bytes) -> bool:
    """Return whether each hash occurs once; for many hashes, sorted first bytes take half the time."""
    if len(hashes) > _FEW:
        beginnings = np.sort(np.frombuffer(joined, np.uint64)[:: HASH_BYTES // 8])
        if (beginnings[1:] != beginnings[:-1]).all():
            return True
    return len(set(hashes)) == len(hashes)


def _require_sizes(values: Iterable[bytes], size: int, name: str) -> None:
    if set(map(len, values)) != {size}:
        raise InvalidConsent(f"{name} has {size} bytes")


def _check_parties(contributors: Sequence[bytes], parties: Sequence[Hashes]) -> None:
    """Check rule 3.1: each list ascends and contains the contributor."""
    if NOBODY in contributors:
        raise InvalidConsent("the contributor is missing")
    if max(map(len, parties)) > LIMITS.parties or not all(map(_ascends, parties)):
        raise InvalidConsent(f"parties must be 1 to {LIMITS.parties} addresses, ascending and unique")
    if not all(map(contains, parties, contributors)):
        raise InvalidConsent("the contributor must be one of the parties")


def _check_purposes(names: Names) -> None:
    """Check rule 3.3."""
    if not 1 <= len(names) <= LIMITS.purposes or not _ascends(names):
        raise InvalidConsent(f"purposes must be 1 to {LIMITS.purposes} names, sorted and unique")
    for name in names:
        check_purpose(name)


def _check_times(issued_at: Sequence[int], expires_at: Sequence[int]) -> None:
    """Check rule 3.4."""
    if min(issued_at) < 0 or max(expires_at) > LATEST or not all(map(lt, issued_at, expires_at)):
        raise InvalidConsent("a consent must end after it begins")
    if max(map(sub, expires_at, issued_at)) > LIMITS.validity_s:
        raise InvalidConsent("a consent must end within ten years of its beginning")


def _require_range(values: Sequence[int], most: int, name: str) -> None:
    """Check that each value is 1 to `most`."""
    if not 1 <= min(values) <= max(values) <= most:
        raise InvalidConsent(f"{name} must be 1 to {most:,}")


def _check_terms_uri(uri: str) -> None:
    """Check rule 3.5: https without query or fragment, because these could identify the person."""
    if uri and (len(uri) > LIMITS.terms_uri_bytes or not TERMS_URI.fullmatch(uri)):
        raise InvalidConsent("termsUri must be https without query or fragment")


def _ascends(values: Hashes | Names) -> bool:
    """Return whether values ascend without repetition."""
    return len(values) == 1 or all(map(lt, values, values[1:]))
