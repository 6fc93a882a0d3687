"""The two signed messages: a consent gives permissions, a revocation takes them back for ever.

Values of these classes are valid by construction (rules 3.1 to 3.9): building one that breaks a rule
raises. Only the signature and the clock remain to be judged.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from sayso_protocol.errors import InvalidConsent, InvalidRevocation
from sayso_protocol.limits import LIMITS
from sayso_protocol.merkle import content_root
from sayso_protocol.notice import REVOCATION_NOTICE, consent_notice
from sayso_protocol.primitives import ADDRESS_BYTES, HASH_BYTES
from sayso_protocol.purposes import check_purpose
from sayso_protocol.scopes import SCOPE_FLAG, check_carried, check_domain, scope_word
from sayso_protocol.words import FULL, Masks, base_word, full_masks, masks_of

_TERMS_URI = re.compile(r"https://[!-~]+", re.ASCII)
_LATEST = 253_402_300_799  # 9999-12-31: the notice writes the date in four digits


def _require(condition: object, sentence: str) -> None:
    if not condition:
        raise InvalidConsent(sentence)


@dataclass(frozen=True)
class Consent:
    """One contributor licenses items for purposes to a grantee.

    Attributes:
        contributor: Whose permission it is, 20 bytes.
        parties: Everyone whose consent the content needs, ascending, the contributor among them.
        grantee: Who is licensed, 20 bytes; zero means anyone.
        via: The marketplace that arranged it, a lower-case domain, or empty.
        content: Root of the item tree, 32 bytes.
        items: How many items the tree has.
        purposes: What for: sorted, unique names.
        terms: SHA-256 of the license text, 32 bytes; zero for none.
        terms_uri: Where to read it, https, or empty. Never fetched by a node.
        guardian: Who may also revoke it, 20 bytes; zero means nobody.
        issued_at: Seconds since the epoch.
        expires_at: Seconds since the epoch; every consent ends.
    """

    contributor: bytes
    parties: tuple[bytes, ...]
    grantee: bytes
    via: str
    content: bytes
    items: int
    purposes: tuple[str, ...]
    terms: bytes
    terms_uri: str
    guardian: bytes
    issued_at: int
    expires_at: int

    def __post_init__(self) -> None:
        """Rules 3.1 to 3.7."""
        self._check_people()
        _require(1 <= self.items <= LIMITS.items, f"items must be 1 to {LIMITS.items}")  # 3.2
        _require(
            self.purposes == tuple(sorted(set(self.purposes)))
            and 1 <= len(self.purposes) <= LIMITS.purposes,
            f"purposes must be 1 to {LIMITS.purposes} names, sorted and unique",
        )  # 3.3
        for purpose in self.purposes:
            check_purpose(purpose)
        _require(len(self.content) == len(self.terms) == HASH_BYTES, "a hash has 32 bytes")
        _require(0 <= self.issued_at < self.expires_at <= _LATEST, "it must end after it begins")
        _require(
            self.expires_at - self.issued_at <= LIMITS.validity_s, "it must end within ten years"
        )  # 3.4
        if self.via:
            check_domain(self.via)  # 3.6
        self._check_terms_uri()

    def _check_people(self) -> None:
        """Rule 3.1: contributor, parties, grantee and guardian are addresses in their places."""
        people = (self.contributor, self.grantee, self.guardian, *self.parties)
        _require(all(len(one) == ADDRESS_BYTES for one in people), "an address has 20 bytes")
        _require(self.contributor != bytes(ADDRESS_BYTES), "the contributor is missing")
        _require(
            self.parties == tuple(sorted(set(self.parties)))
            and 1 <= len(self.parties) <= LIMITS.parties,
            f"parties must be 1 to {LIMITS.parties} addresses, ascending and unique",
        )
        _require(self.contributor in self.parties, "the contributor must be one of the parties")

    def _check_terms_uri(self) -> None:
        """Rule 3.5: https, without query or fragment, because these could identify the person."""
        uri = self.terms_uri
        _require(
            not uri
            or (
                _TERMS_URI.fullmatch(uri)
                and not set("?#") & set(uri)
                and len(uri) <= LIMITS.terms_uri_bytes
            ),
            "termsUri must be https without query or fragment",
        )

    @cached_property
    def notice(self) -> str:
        """The sentence shown and signed (rule 4.6)."""
        return consent_notice(self)

    @cached_property
    def base(self) -> int:
        """Its first permission word (rule 5.5)."""
        return base_word(self.grantee, self.via, self.content, self.purposes)

    def masks(self, items: Iterable[int], purposes: Iterable[str]) -> Masks:
        """The permission bits of some items, by their index, for some of its purposes.

        Raises:
            InvalidRevocation: The consent has no such item or purpose.
        """
        rows, names, width = list(items), list(purposes), len(self.purposes)
        if not all(0 <= row < self.items for row in rows) or not set(names) <= set(self.purposes):
            raise InvalidRevocation("the consent has no such item or purpose")
        columns = [self.purposes.index(name) for name in names]
        return masks_of(self.base, (row * width + column for row in rows for column in columns))

    @cached_property
    def license_masks(self) -> Masks:
        """The words of the whole license, set full."""
        return full_masks(self.base, self.items * len(self.purposes))

    def check_items(self, items: tuple[bytes, ...]) -> None:
        """Check the item hashes that travel beside it (rule 3.7); raises InvalidConsent."""
        _require(len(items) == self.items, "the number of item hashes differs from `items`")
        _require(len(set(items)) == len(items), "an item hash occurs twice")
        _require(all(len(item) == HASH_BYTES for item in items), "an item hash has 32 bytes")
        _require(content_root(items) == self.content, "the item hashes do not give `content`")


@dataclass(frozen=True)
class Revocation:
    """A contributor, or a guardian, sets bits; nothing ever clears one.

    Attributes:
        contributor: Who signs, 20 bytes.
        scopes: Sentences such as `everything for likeness-synthesis`.
        words: Permission words, below 2**247.
        masks: The bits to set, one mask for each word.
    """

    contributor: bytes
    scopes: tuple[str, ...] = ()
    words: tuple[int, ...] = ()
    masks: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        """Rules 3.8 and 3.9."""
        if len(self.contributor) != ADDRESS_BYTES or not any(self.contributor):
            raise InvalidRevocation("the contributor is missing")
        if not self.scopes and not self.words:
            raise InvalidRevocation("it revokes nothing")
        if len(self.scopes) > LIMITS.scopes or len(self.words) > LIMITS.words:
            raise InvalidRevocation(f"at most {LIMITS.scopes} scopes and {LIMITS.words} words")
        if len(self.words) != len(self.masks):
            raise InvalidRevocation("words and masks differ in number")
        for scope in self.scopes:
            check_carried(scope)
        # A scope word may be set by its sentence only: what the wallet shows is what holds.
        if not all(0 <= word < SCOPE_FLAG for word in self.words):
            raise InvalidRevocation("a signed word must be below 2**247")
        if not all(0 < mask <= FULL for mask in self.masks):
            raise InvalidRevocation("a mask must have 1 to 256 bits set")

    @property
    def notice(self) -> str:
        """The constant sentence shown and signed (rule 4.6)."""
        return REVOCATION_NOTICE

    @cached_property
    def bits(self) -> Masks:
        """Everything it sets: word -> mask."""
        bits: Masks = {}
        for word, mask in zip(self.words, self.masks, strict=True):
            bits[word] = bits.get(word, 0) | mask
        for scope in self.scopes:
            bits[scope_word(scope)] = 1
        return bits


Message = Consent | Revocation
