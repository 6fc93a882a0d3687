"""The sums of sync: right at every depth, whatever comes and goes, and added up from few rows."""

from collections.abc import Callable, Iterable
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sayso_node.store.interface import Writing
from sayso_node.store.sync import index as sync_index
from sayso_protocol.messages.message import CONSENT
from sayso_protocol.primitives import sha256
from sayso_protocol.sync.fingerprints import EMPTY, ROOT, Sum, level_of, node_at
from support.tries import tries

Tables = Callable[[], Writing]
# Entries crowd together, as an attacker could make them.
digests = st.builds(
    lambda crowd, number: crowd + sha256(b"%d" % number)[len(crowd) :],
    st.sampled_from([b"", b"\0", b"\x80\0\0", b"\xff" * 8]),
    st.integers(0, 60),
)
steps = st.lists(st.tuples(st.booleans(), st.sets(digests, max_size=30)), max_size=8)


def add(db: Writing, new: Iterable[bytes]) -> None:
    rows = [(one, CONSENT) for one in new]
    query = "INSERT INTO messages (digest, kind, contributor, body, arrived_at) VALUES (?, ?, '', '', 0)"
    db.executemany(query, rows)
    sync_index.change_sums(db, CONSENT, [sync_index.digest_change(one, 1) for one, _ in rows])


def remove(db: Writing, old: Iterable[bytes]) -> None:
    gone = list(old)
    db.executemany("DELETE FROM messages WHERE digest = ?", ((one,) for one in gone))
    sync_index.change_sums(db, CONSENT, [sync_index.digest_change(one, -1) for one in gone])


def by_hand(held: Iterable[bytes], nodes: list[int], step: int) -> list[Sum]:
    found = {child: EMPTY for node in nodes for child in range(node << step, (node + 1) << step)}
    level = level_of(nodes[0]) + step
    for one in held:
        child = node_at(level, int.from_bytes(one[:8]))
        if child in found:
            found[child] = found[child].plus(int.from_bytes(one), 1)
    return list(found.values())


@settings(deadline=None, max_examples=tries(60))
@given(steps, st.integers(0, 59))
def test_sums_are_those_of_what_is_held(
    tables: Tables, history: list[tuple[bool, set[bytes]]], level: int
) -> None:
    db, held = tables(), set[bytes]()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sync_index, "SPLIT", 5)
        for is_new, named in history:
            if is_new:
                add(db, named - held)
                held |= named
            else:
                remove(db, named & held)
                held -= named
            nodes = sorted({node_at(level, int.from_bytes(one[:8])) for one in held} | {1 << level})
            for step in range(5):
                assert sync_index.sums(db, CONSENT, nodes, step) == by_hand(held, nodes, step)
            top, size = sync_index.sums(db, CONSENT, [ROOT], 1), len(held)
            assert sum(one.size for one in top) == size


def test_a_sum_costs_few_rows_however_many_entries_there_are(tables: Tables) -> None:
    """The tree grows where entries are, so no sum is added up from many of them."""
    db, rng = tables(), Random(3)
    common = [rng.randbytes(32) for _ in range(20_000)]
    crowded = [b"\1\2\3" + rng.randbytes(29) for _ in range(5_000)]
    for start in range(0, 20_000, 1_000):
        add(db, common[start : start + 1_000])
    add(db, crowded)
    for level in range(60):
        for places in (common[:50], crowded[:50]):
            nodes = sorted({node_at(level, int.from_bytes(one[:8])) for one in places})
            _, read = sync_index.summed(db, CONSENT, nodes, 4)
            assert read <= len(nodes) * 8 * (sync_index.SPLIT + 1), level


def test_what_is_counted_before_it_is_there_is_counted_right(tables: Tables) -> None:
    """A transaction may add entries of two kinds of one set, and then count them one after the other."""
    db = tables()
    early, late = ([sha256(b"%d %d" % (half, n)) for n in range(3_000)] for half in range(2))
    query = "INSERT INTO messages (digest, kind, contributor, body, arrived_at) VALUES (?, ?, '', '', 0)"
    db.executemany(query, ((one, CONSENT) for one in early + late))
    for part in (early, late):
        sync_index.change_sums(db, CONSENT, [sync_index.digest_change(one, 1) for one in part])
    nodes = list(range(256, 512))
    assert sync_index.sums(db, CONSENT, nodes, 4) == by_hand(early + late, nodes, 4)
