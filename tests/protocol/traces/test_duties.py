"""Rules 15.3 to 15.5 against an oracle that replays the chain block by block, and case by case."""

from collections.abc import Sequence
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.permissions.words import Masks
from sayso_protocol.traces.duties import DAY_S, Block, Confirmation, Duty, Standing, duty
from sayso_protocol.traces.landings import (
    NOT_REVOKED,
    ONE_FILE,
    OWN_BIT,
    UNDATED,
    HolderLanding,
    Landings,
)
from sayso_protocol.verdicts.covering import Place
from sayso_protocol.verdicts.query import Query
from sayso_protocol.verdicts.verdict import License
from support.passing import ALL, HOLDERS, ITEMS, LAB, MARKET, Oracle, a_license, licenses, stops
from support.protocol_strategies import ADA
from support.tries import tries

FINAL = 20


class Said(NamedTuple):
    """A revocation, and the height at which the chain says so, if it does."""

    message: Revocation
    block: int | None


class Chain:
    """Moments, from a list."""

    def __init__(self, history: Sequence[Said]) -> None:
        self._history = history

    def of(self, places: Sequence[Place]) -> list[int]:
        return [self._first(one) for one in places]

    def _first(self, place: Place) -> int:
        return min(
            (_height(one) for one in self._history if _sets(one.message, place)), default=NOT_REVOKED
        )


def _height(one: Said) -> int:
    return UNDATED if one.block is None or one.block > FINAL else one.block


def _sets(message: Revocation, place: Place) -> bool:
    bits: Masks = message.bits
    return message.contributor == place.address and place.is_set(bits)


@st.composite
def _chains(draw: st.DrawFn) -> tuple[License, list[Said]]:
    held = draw(licenses())
    blocks = st.none() | st.integers(1, FINAL + 3)
    some = draw(st.lists(st.tuples(stops([held], []), blocks), max_size=5))
    return held, [Said(*one) for one in some]


def _replayed(held: License, history: Sequence[Said], holder: bytes) -> dict[int, tuple[int, int]]:
    """Items and permissions by the block at which they became revoked, from whole prefixes."""
    pairs = {(item, purpose) for item in held.items for purpose in held.consent.purposes}
    found: dict[int, tuple[int, int]] = {}
    for height in [*range(FINAL + 1), UNDATED]:
        so_far = Oracle([held, *(one.message for one in history if _height(one) <= height)])
        now = {one for one in pairs if so_far.revoked(held, one[0], Query(holder, one[1]))}
        if now:
            found[height] = len({item for item, _ in now}), len(now)
        pairs -= now
    return found


@settings(deadline=None, max_examples=tries(150))
@given(_chains(), st.sampled_from(HOLDERS))
def test_landings_are_those_of_a_replay(case: tuple[License, list[Said]], holder: bytes) -> None:
    held, history = case
    landings = Landings(held.consent, held.items, Chain(history))
    landings.of(HOLDERS[0], ALL)  # what is remembered does not depend on whom was asked for before
    found = landings.of(holder, held.consent.purposes)
    assert {one.block: (one.items, one.permissions) for one in found} == _replayed(held, history, holder)
    assert all(one.by for one in found)


def _landings(holder: bytes, *history: Said, purposes: Sequence[str] = ALL) -> list[HolderLanding]:
    held = a_license()
    return Landings(held.consent, held.items, Chain(history)).of(holder, purposes)


def _says(scope: str, block: int | None = 7) -> Said:
    return Said(Revocation(ADA, (scope,)), block)


def test_resale_alone_reaches_everybody_downstream() -> None:
    assert [one.purposes for one in _landings(MARKET, _says("everything for resale"))] == [("resale",)]
    (down,) = _landings(LAB, _says("everything for resale"))
    assert (down.block, down.purposes, down.permissions) == (7, ALL, 6)
    assert down.by == ("everything for resale",)


def test_only_purposes_of_the_holder_count() -> None:
    (one,) = _landings(LAB, _says("everything"), purposes=("train-ai", "of-no-consent"))
    assert (one.purposes, one.items, one.permissions) == (("train-ai",), 2, 2)


def test_the_first_block_counts_and_says_how() -> None:
    held = a_license()
    masks = held.consent.masks([1], ["train-ai"])
    bit = Said(Revocation(ADA, (), tuple(masks), tuple(masks.values())), 3)
    file = _says(f"file 0x{ITEMS[0].hex()} for train-ai", 5)
    found = _landings(MARKET, file, _says("everything", 9), bit, purposes=("train-ai",))
    assert [(one.block, one.by, one.permissions) for one in found] == [
        (3, (OWN_BIT,), 1),
        (5, (ONE_FILE,), 1),
    ]


def test_what_no_final_block_says_is_undated() -> None:
    (one,) = _landings(MARKET, _says("everything", None))
    (late,) = _landings(MARKET, _says("everything", FINAL + 1))
    assert one.block == late.block == UNDATED
    assert _judge(one).standing is Standing.UNDATED


LANDED = Block(10, 1_000)
DUE = 1_000 + 30 * DAY_S


def _judge(landing: HolderLanding, *removals: Confirmation, now: int | None = 1_000) -> Duty:
    revoked = None if landing.block == UNDATED else LANDED
    return duty(landing, revoked, 30, removals, now)


def _removal(as_of: int, anchored: int | None, number: int = 1) -> Confirmation:
    block = None if anchored is None else Block(anchored, anchored * 100)
    return Confirmation(bytes([number]) * 32, as_of, block)


TAKEN = HolderLanding(10, 1, 1, ("train-ai",), ("everything",))


@pytest.mark.parametrize(
    ("as_of", "anchored", "counts"),
    [
        (9, 12, False),  # looked before the block
        (10, 10, True),
        (11, 12, True),
        (12, 12, True),
        (13, 12, False),  # looked at a block that did not exist
        (12, None, False),  # nothing dates it
    ],
)
def test_which_removal_counts(as_of: int, anchored: int | None, counts: bool) -> None:
    removal = _removal(as_of, anchored)
    found = _judge(TAKEN, removal, now=DUE + 1)
    assert found.standing is (Standing.CONFIRMED if counts else Standing.LATE)
    assert found.confirmation == (removal if counts else None)


def test_the_first_that_counts_dates_the_confirmation() -> None:
    some = [_removal(30, 31, 1), _removal(20, 21, 3), _removal(20, 21, 2), _removal(9, 11, 4)]
    assert _judge(TAKEN, *some).confirmation == some[2]


@pytest.mark.parametrize(
    ("now", "standing"),
    [(DUE, Standing.DUE), (DUE + 1, Standing.LATE), (None, Standing.UNDATED)],
)
def test_now_is_the_last_final_block(now: int | None, standing: Standing) -> None:
    assert _judge(TAKEN, now=now).standing is standing


def test_a_block_whose_time_is_not_known_yet_makes_nobody_late() -> None:
    found = duty(TAKEN, Block(10, None), 30, (), DUE * 2)
    assert (found.standing, found.due) == (Standing.UNDATED, None)
