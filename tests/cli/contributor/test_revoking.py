"""What a revocation hits, before it is signed: the same as what the verdict will say after."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.contributor.planning import Wish, make_plan, plan_blindly
from sayso.contributor.revoking import (
    file_scopes,
    license_masks,
    license_scopes,
    permissions_hit,
    revoke_masks,
    revoke_scopes,
)
from sayso.errors import NothingToRevoke
from sayso.node_client.answers import HeldLicense
from sayso_protocol.encoding.merkle import content_root
from sayso_protocol.errors import InvalidPurpose, InvalidScope
from sayso_protocol.limits import LIMITS
from sayso_protocol.messages.consent import Consent
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.permissions.scopes import Scope
from sayso_protocol.permissions.words import Masks
from sayso_protocol.primitives import ANYONE, hex_text, sha256
from sayso_protocol.verdicts.known_bits import WholeBits
from sayso_protocol.verdicts.query import Query
from sayso_protocol.verdicts.verdict import License, Sought, is_revoked
from support.merging import merged

ADA, BEN = b"\x01" * 20, b"\x02" * 20
PURPOSES = ("evaluate", "resale", "train-ai")


def a_license(count: int = 5, via: str = "kled.ai", guardian: bytes = BEN, who: bytes = ADA) -> License:
    items = tuple(sha256(b"%d" % one) for one in range(count))
    content = content_root(items)
    consent = Consent(
        who, (who,), ANYONE, via, content, count, PURPOSES, bytes(32), "", guardian, 1, 2, 168, 30
    )
    return License(consent, items)


class Bits(WholeBits):
    """Knowledge of nothing but these revocations."""

    def __init__(self, revocations: list[Revocation]) -> None:
        self._bits: dict[bytes, Masks] = {}
        for one in revocations:
            self._bits[one.contributor] = merged(self.bits(one.contributor), one.bits)

    def bits(self, address: bytes) -> Masks:
        return self._bits.get(address, {})

    def license(self, license_hash: bytes) -> License | None:
        raise NotImplementedError

    def considered(self, sought: Sought) -> list[License]:
        raise NotImplementedError


def judged(revocations: list[Revocation], held: License) -> int:
    """The verdict's own count, permission by permission."""
    knowledge, consent = Bits(revocations), held.consent
    asked = [Query(consent.grantee, one) for one in consent.purposes]
    return sum(is_revoked(knowledge, held, item, one) for item in held.items for one in asked)


def part_of(held: License, items: list[bytes], purposes: list[str]) -> list[Revocation]:
    """Of all items by the agreement, of some by their bits."""
    if items:
        return revoke_masks(ADA, license_masks(held, items, purposes))
    return revoke_scopes(ADA, license_scopes(held, purposes))


some_items = st.sets(st.integers(0, 4)).map(
    lambda rows: [a_license().items[row] for row in sorted(rows)]
)
some_purposes = st.sets(st.sampled_from(PURPOSES)).map(sorted)
subjects = st.sampled_from(
    [
        "everything",
        "via kled.ai",
        "via other.ai",
        f"file {hex_text(a_license().items[2])}",
        f"file 0x{'00' * 32}",
        f"agreement {hex_text(a_license().consent.agreement)}",
        f"agreement {hex_text(a_license(via='').consent.agreement)}",
        f"to {hex_text(BEN)}",
    ]
)
scopes = st.builds(
    Scope,
    subjects,
    st.sampled_from([None, *PURPOSES, "advertising"]),
    st.sampled_from([None, ADA, BEN, b"\x03" * 20]),
)


@given(
    some_items,
    some_purposes,
    st.lists(scopes, max_size=3),
    st.sampled_from([ADA, BEN]),
    st.sampled_from(["", "kled.ai"]),
)
def test_what_is_shown_is_what_the_verdict_says(
    items: list[bytes], purposes: list[str], sentences: list[Scope], signer: bytes, via: str
) -> None:
    held = a_license(via=via)
    revocations = part_of(held, items, purposes) + revoke_scopes(signer, sentences)
    assert permissions_hit(revocations, held) == judged(revocations, held)
    assert permissions_hit(revocations[1:], held) == judged(revocations[1:], held)


@given(some_items, some_purposes)
def test_part_of_a_license(items: list[bytes], purposes: list[str]) -> None:
    held = a_license()
    revocations = part_of(held, items, purposes)
    expected = (len(items) or 5) * (len(purposes) or 3)
    assert permissions_hit(revocations, held) == expected


def test_a_large_license_takes_one_revocation() -> None:
    held = a_license(LIMITS.items)
    for revocations in (part_of(held, [], []), part_of(held, [*held.items], [])):
        assert len(revocations) == 1
        assert permissions_hit(revocations, held) == LIMITS.items * 3
    assert part_of(held, [], [])[0].words == ()


@given(st.dictionaries(st.integers(0, 2**247 - 1), st.integers(1, 2**256 - 1), min_size=1, max_size=200))
def test_words_are_split_at_the_limit(masks: Masks) -> None:
    revocations = revoke_masks(ADA, masks)
    assert len(revocations) == -(-len(masks) // LIMITS.words)
    assert Bits(revocations).bits(ADA) == masks


@pytest.mark.parametrize(("count", "messages"), [(1, 1), (16, 1), (17, 2), (33, 3)])
def test_sentences_are_split_at_the_limit(count: int, messages: int) -> None:
    scopes = file_scopes(sha256(b"%d" % one) for one in range(count))
    revocations = revoke_scopes(ADA, [*scopes, *scopes])
    assert len(revocations) == messages
    assert sum(len(one.scopes) for one in revocations) == count


@pytest.mark.parametrize(
    ("wish", "scopes"),
    [
        (Wish("everything"), ["everything"]),
        (Wish("via kled.ai for resale"), ["via kled.ai for resale"]),
        (Wish(items=(b"\xaa" * 32,)), ["file 0x" + "aa" * 32]),
        (
            Wish(items=(b"\xaa" * 32,), purposes=("resale", "train-ai")),
            ["file 0x" + "aa" * 32 + " for resale", "file 0x" + "aa" * 32 + " for train-ai"],
        ),
        (Wish(purposes=("resale",)), ["everything for resale"]),
    ],
)
def test_wishes_as_sentences(wish: Wish, scopes: list[str]) -> None:
    (revocation,) = plan_blindly(wish, ADA).revocations
    assert list(revocation.scopes) == scopes


@pytest.mark.parametrize(
    ("error", "wish"),
    [
        (NothingToRevoke, Wish()),
        (NothingToRevoke, Wish("everything", items=(bytes(32),))),
        (NothingToRevoke, Wish("everything", purposes=("resale",))),
        (NothingToRevoke, Wish("everything", license=bytes(32))),
        (NothingToRevoke, Wish(license=bytes(32))),
        (InvalidScope, Wish("all of it")),
        (InvalidScope, Wish("via Kled.AI")),
        (InvalidScope, Wish("via")),
        (InvalidScope, Wish("file 0xAA")),
        (InvalidPurpose, Wish("everything for Train")),
        (InvalidPurpose, Wish(purposes=("Train",))),
    ],
)
def test_wishes_that_are_none(error: type[Exception], wish: Wish) -> None:
    with pytest.raises(error):
        plan_blindly(wish, ADA)


class Shelf:
    """Licenses of Ada's and of Ben's."""

    def __init__(self, *held: License) -> None:
        self.held = {bytes([number]) * 32: one for number, one in enumerate(held)}

    async def license(self, license_hash: bytes) -> HeldLicense:
        return HeldLicense(license_hash, self.held[license_hash], 0, None)

    async def licenses_of(
        self, contributor: bytes, *, via: str | None = None, grantee: bytes | None = None
    ) -> list[HeldLicense]:
        found = [one for one, held in self.held.items() if held.consent.contributor == contributor]
        return [await self.license(one) for one in found]


@pytest.mark.parametrize(
    ("sentence", "permissions"),
    [("everything", 15 + 6), ("via kled.ai", 15), ("everything for resale", 5 + 2), ("via no.ai", 0)],
)
def test_a_plan_counts_over_all_licenses(sentence: str, permissions: int) -> None:
    shelf = Shelf(a_license(), a_license(2, "b.ai"), a_license(4, who=BEN))
    plan = asyncio.run(make_plan(Wish(sentence), ADA, shelf))
    assert sum(count for _, count in plan.hits or ()) == permissions


def test_a_guardian_plans_for_its_ward() -> None:
    shelf = Shelf(a_license(), a_license(2, guardian=ADA), a_license(4, who=BEN))
    sentence = f"ward {hex_text(ADA)} everything for resale"
    plan = asyncio.run(make_plan(Wish(sentence), BEN, shelf))
    assert sum(count for _, count in plan.hits or ()) == 5
    assert plan_blindly(Wish(sentence), BEN).hits is None


@pytest.mark.parametrize(
    "wish",
    [
        Wish(license=bytes(32), items=(b"\xee" * 32,)),
        Wish(license=bytes(32), purposes=("advertising",)),
        Wish(license=b"\x01" * 32),
        Wish(license=b"\x02" * 32, items=(a_license().items[0],)),
    ],
)
def test_what_a_license_does_not_have(wish: Wish) -> None:
    shelf = Shelf(a_license(), a_license(who=BEN), a_license(who=BEN, guardian=ADA))
    with pytest.raises(NothingToRevoke):
        asyncio.run(make_plan(wish, ADA, shelf))
