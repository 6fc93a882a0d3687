"""Until when a clear answer may be relied on: every combination against the sum that needs none."""

from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from sayso_protocol.verdicts.chains import NEVER
from sayso_protocol.verdicts.ways import Choice, latest_end

times = st.integers(0, 12).map(float)
parts = st.builds(Choice, times, times, st.integers(1, 6))
ways = st.lists(st.lists(parts, max_size=4), min_size=1, max_size=4)


def slowly(parties: list[list[Choice]]) -> float:
    """Rule 8.16, way by way."""
    ends = [
        min(
            *(part.ends for part in way),
            min(part.as_of for part in way) + min(part.recheck_s for part in way),
        )
        for way in product(*parties)
    ]
    return max(ends, default=NEVER)


@given(ways)
def test_the_best_of_all_combinations_is_found_without_trying_them(parties: list[list[Choice]]) -> None:
    assert latest_end(parties) == slowly(parties)


def test_the_best_part_of_a_party_depends_on_the_others() -> None:
    """So no party's best end, taken alone, is that of the row."""
    old_but_lasting, new_but_short = Choice(100, 1, 10), Choice(100, 5, 7)
    other = Choice(100, 5, 20)
    alone = min(latest_end([[old_but_lasting, new_but_short]]), latest_end([[other]]))
    assert latest_end([[old_but_lasting, new_but_short], [other]]) == alone == 12
    last = Choice(100, 1, 20)
    assert latest_end([[new_but_short], [last]]) == 8 < min(latest_end([[new_but_short]]), 21)


def test_a_party_without_a_choice_leaves_no_way() -> None:
    assert latest_end([[Choice(9, 1, 1)], []]) == NEVER


def test_sixteen_parties_with_many_choices_are_done_at_once() -> None:
    """Sixteen to the power of sixteen ways."""
    parties = [[Choice(100 + at, at, 20 - at) for at in range(16)] for _ in range(16)]
    assert latest_end(parties) == 20
