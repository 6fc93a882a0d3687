"""Bits in memory: what is asked for by word is what all bits say."""

from hypothesis import given
from hypothesis import strategies as st

from sayso_protocol.permissions.scopes import SCOPE_FLAG
from sayso_protocol.permissions.words import Masks
from sayso_protocol.verdicts.covering import Place
from sayso_protocol.verdicts.known_bits import HeldBits, WholeBits, set_places
from support.merging import merged
from support.protocol_strategies import ADA, BEN, CLEO

PEOPLE = (ADA, BEN, CLEO)
WORDS = st.sampled_from([0, 1, SCOPE_FLAG - 1, SCOPE_FLAG, SCOPE_FLAG | 5])
HEARD = st.tuples(
    st.sampled_from(PEOPLE[:2]), st.dictionaries(WORDS, st.sampled_from([1, 2, 4, 1 << 255]))
)


class Whole(WholeBits):
    """All bits in a dictionary."""

    def __init__(self) -> None:
        self.state: dict[bytes, Masks] = {}

    def bits(self, address: bytes) -> Masks:
        return self.state.get(address, {})


@given(st.lists(HEARD, max_size=8), st.sets(WORDS))
def test_held_bits_answer_as_all_bits_do(history: list[tuple[bytes, Masks]], words: set[int]) -> None:
    held, whole = HeldBits(), Whole()
    for who, heard in history:
        before = dict(heard)
        held.add(who, heard)
        whole.state[who] = merged(whole.bits(who), before)
        assert heard == before
    assert held.speakers(PEOPLE) == whole.speakers(PEOPLE)
    for who in PEOPLE:
        assert held.has_scopes(who) == whole.has_scopes(who)
        assert held.masks(who, words) == whole.masks(who, words)
        assert held.masks(who, words) == {
            word: mask for word, mask in whole.bits(who).items() if word in words
        }
        places = [Place(who, word, bit, None) for word in words for bit in (0, 1, 2, 255)]
        assert set_places(held, places) == [one.is_set(whole.bits(who)) for one in places]
