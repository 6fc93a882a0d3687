"""What waits is bounded, nobody's flood drops another's, and what is dropped leaves a mark."""

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from node.store.harness import Tables, add_consent
from sayso_node.store.admission import marks, pending, revocations
from sayso_node.store.admission.pending import Heard, PendingRoom, hold, load
from sayso_node.store.admission.revocations import Admitted
from sayso_node.store.interface import Reading
from sayso_protocol.primitives import NOBODY, sha256
from support.node_rig import NOW, consent, revocation
from support.protocol_strategies import ADA, BEN, CLEO

SMALL = PendingRoom(pending=6, source=3, signer=60, marks=5, bits=65_536)


def heard(number: int, signer: bytes = ADA) -> Heard:
    return Heard(sha256(b"%d" % number), signer, b"body", {number: 1})


def waiting(db: Reading) -> set[bytes]:
    return {digest for (digest,) in db.execute("SELECT digest FROM pending")}


def test_what_waits_comes_out_as_it_went_in(tables: Tables) -> None:
    db = tables()
    one = Heard(sha256(b"one"), ADA, b"bytes", {0: 1, (1 << 248) - 1: (1 << 256) - 1})
    assert hold(db, one, "a", NOW, SMALL)
    assert not hold(db, one, "b", NOW, SMALL)
    assert [heard for heard, _ in pending.of_signers(db, [ADA])] == [one]
    assert pending.of_signers(db, [BEN]) == []
    pending.release(db, one.digest)
    assert (pending.of_signers(db, [ADA]), load(db)) == ([], (0, 0, 0))


def test_a_flood_drops_its_own(tables: Tables) -> None:
    db = tables()
    hold(db, heard(0, BEN), "quiet", NOW, SMALL)
    for number in range(1, 50):
        hold(db, heard(number), "loud", NOW, SMALL)
    assert waiting(db) == {heard(number).digest for number in (0, 47, 48, 49)}
    assert not pending.is_marked(db, BEN)
    assert pending.is_marked(db, ADA)


def test_when_all_is_full_the_fullest_source_pays(tables: Tables) -> None:
    db = tables()
    for number, source in enumerate(("a", "a", "a", "b", "b", "c", "d")):
        hold(db, heard(number), source, NOW, SMALL)
    assert waiting(db) == {heard(number).digest for number in range(1, 7)}


def test_who_signs_too_much_drops_his_own_wherever_it_comes_from(tables: Tables) -> None:
    """Otherwise each of his consents would cost a search through all of it."""
    db, room = tables(), PendingRoom(signer=2)
    for number, (signer, source) in enumerate([(BEN, "a"), (ADA, "a"), (ADA, "b"), (ADA, "c")]):
        hold(db, heard(number, signer), source, NOW, room)
    assert waiting(db) == {heard(number).digest for number in (0, 2, 3)}
    assert pending.is_marked(db, ADA)


def test_hearing_it_again_lifts_the_mark_and_nothing_else_does(tables: Tables) -> None:
    db = tables()
    for number in range(4):
        hold(db, heard(number, CLEO), "a", NOW, SMALL)
    dropped = heard(0, CLEO)
    assert pending.is_marked(db, CLEO)
    assert not pending.lift_mark(db, heard(1, CLEO))
    assert not pending.lift_mark(db, dropped._replace(signer=BEN))  # somebody else's message
    assert pending.is_marked(db, CLEO)
    assert pending.lift_mark(db, dropped)
    assert not pending.is_marked(db, CLEO)


def test_a_stranger_cannot_mark_his_ward(tables: Tables) -> None:
    """A ward scope binds only where the consent names the guardian, and then the guardian is marked."""
    db, ward = tables(), f"ward 0x{ADA.hex()} everything"
    for number in range(4):
        one = revocation(ward, words={number: 1}, contributor=BEN)
        assert revocations.admit(db, one, "a", NOW, SMALL) is Admitted.HELD
    assert pending.is_marked(db, BEN)
    assert not pending.is_marked(db, ADA)


def test_above_the_limit_the_source_with_most_marks_gives_up_its_oldest(tables: Tables) -> None:
    db = tables()
    add_consent(db, consent(1, guardian=BEN), NOW)
    for number in range(4):
        hold(db, heard(number, BEN), "b", NOW, SMALL)  # one mark of this source
    for number in range(10, 13 + SMALL.marks):
        hold(db, heard(number, CLEO), "a", NOW, SMALL)
    assert load(db) == (6, SMALL.marks, 1)
    assert (heard(0).digest[:8], BEN) in set(db.execute("SELECT digest, signer FROM marks"))
    later = consent(2, contributor=CLEO, parties=(CLEO,), guardian=bytes(19) + b"\7")
    add_consent(db, later, NOW)
    assert not pending.is_marked(db, bytes(19) + b"\7")
    for number in range(11, 13 + SMALL.marks):
        pending.lift_mark(db, heard(number, CLEO))
    assert pending.is_marked(db, CLEO)  # his oldest mark was merged; nobody can tell of which message


def test_a_signer_with_many_marks_has_one_for_all(tables: Tables) -> None:
    db, room = tables(), PendingRoom(signer=1, signer_marks=3)
    for number in range(4):
        hold(db, heard(number), "a", NOW, room)
    assert load(db) == (1, 3, 0)
    for number in range(4, 50):
        hold(db, heard(number), "a", NOW, room)
        assert load(db) == (1, 1, 0)
    for number in range(50):
        assert not pending.lift_mark(db, heard(number))
    assert pending.is_marked(db, ADA)


def test_a_bitmap_never_holds_more_than_its_share(tables: Tables) -> None:
    db, room = tables(), PendingRoom(signer=1, source=1, marks=0, bits=256)
    for number in range(300):
        signer = sha256(b"signer %d" % number)[:20]
        hold(db, heard(number, signer), "a", NOW, room)
        bitmaps = db.execute("SELECT number, merged FROM mark_bitmaps").fetchall()
        assert len(bitmaps) <= 2
        assert max((merged for _, merged in bitmaps), default=0) <= 256 // marks.BITMAP_SHARE
        chunks = {one for (one,) in db.execute("SELECT bitmap FROM merged_marks")}
        assert chunks == {one for one, _ in bitmaps}


def test_a_source_keeps_its_bound_while_signers_push_out_what_others_brought(tables: Tables) -> None:
    db, room = tables(), SMALL._replace(source=3, signer=2)
    for number, (signer, source) in enumerate(
        [(CLEO, "a"), (CLEO, "a"), (ADA, "b"), (ADA, "b"), (BEN, "b"), (CLEO, "b")]
    ):
        hold(db, heard(number, signer), source, NOW, room)
    rows = Counter(row[0] for row in db.execute("SELECT source FROM pending"))
    assert rows == {"a": 1, "b": 3}


addresses = st.sampled_from([ADA, BEN, CLEO])
steps = st.lists(
    st.tuples(st.integers(0, 30), addresses, st.sampled_from("abc"), st.booleans()), max_size=60
)


@settings(deadline=None)
@given(steps, st.integers(0, 6))
def test_nothing_is_dropped_without_a_trace(
    tables: Tables, history: list[tuple[int, bytes, str, bool]], most: int
) -> None:
    """Whatever was heard last of a message: it waits, or its signer is marked."""
    db, room, heard_of = (
        tables(),
        PendingRoom(pending=5, source=3, signer=2, marks=most, signer_marks=4),
        dict[bytes, bytes](),
    )
    for number, signer, source, released in history:
        one = heard(number + 100 * (ADA, BEN, CLEO).index(signer), signer)
        pending.lift_mark(db, one)
        hold(db, one, source, NOW, room)
        heard_of[one.digest] = signer
        if released:
            pending.release(db, one.digest)
            del heard_of[one.digest]
        held = waiting(db)
        counted = load(db)
        marked = set(db.execute("SELECT digest, signer FROM marks"))
        assert (counted.pending, counted.marks) == (len(held), len(marked))
        assert counted.pending <= room.pending
        assert counted.marks <= room.marks
        spread = Counter(row[0] for row in db.execute("SELECT source FROM marks"))
        assert dict(db.execute("SELECT * FROM mark_sources").fetchall()) == dict(spread)
        rows = Counter(row[0] for row in db.execute("SELECT source FROM pending"))
        assert dict(db.execute("SELECT * FROM pending_sources").fetchall()) == dict(rows)
        assert max(rows.values(), default=0) <= room.source
        signers = Counter(row[0] for row in db.execute("SELECT signer FROM pending"))
        assert max(signers.values(), default=0) <= room.signer
        for digest, by in heard_of.items():
            is_marked = {(digest[:8], by), (b"", by)} & marked or marks.merged_in(db, by)
            assert digest in held or is_marked


def test_nobody_is_never_marked(tables: Tables) -> None:
    """No guardian is twenty zero bytes, and no signature is theirs."""
    db = tables()
    for number in range(20):
        hold(db, heard(number), "a", NOW, PendingRoom(1, 1, 1, 0))
    add_consent(db, consent(1), NOW)
    assert not pending.is_marked(db, NOBODY)
