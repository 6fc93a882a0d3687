"""The followed chain, anchors and batches; what a reorganisation takes away and what it leaves."""

from node.store.backends import BACKENDS
from node.store.harness import Tables, add_consent
from sayso_node.store import messages
from sayso_node.store.chain import chain_state, endorsements, intents, relays, set_back, wallets
from sayso_node.store.chain.chain_state import KEPT_BLOCKS, Anchor
from sayso_node.store.interface import Writing
from sayso_node.store.revocations import bits
from sayso_protocol.ethereum.batches import Batch
from sayso_protocol.primitives import sha256
from sayso_protocol.receipts.receipt import ChainPoint
from support.fake_chain import SUBMITTER
from support.held_bits import bits_of
from support.node_rig import NOW, consent
from support.protocol_strategies import ADA, BEN
from support.sql_steps import counted_steps

SPONSOR = b"\x11" * 32


def block(number: int, fork: str = "") -> ChainPoint:
    return ChainPoint(number, sha256(f"{number} {fork}".encode()))


def anchor(root: bytes, number: int, submitter: bytes = SUBMITTER) -> Anchor:
    return Anchor(root, submitter, number, block(number).hash)


def waiting(db: Writing, *numbers: int, since: float = NOW) -> list[bytes]:
    envelopes = [consent(number) for number in numbers]
    for envelope in envelopes:
        add_consent(db, envelope, since, own=True)
    return [envelope.digest for envelope in envelopes]


def test_dates_that_are_to_come_are_of_now(tables: Tables) -> None:
    db = tables()
    later = NOW + 31_536_000.0
    [first, second] = waiting(db, 1, 2, since=later)
    wallets.said(db, ADA, first, NOW, later, accepted=True)
    wallets.let_be(db, first)
    wallets.end_turns(db, [wallets.Turn(ADA, {}, False)], later)  # the wallet leaves the queue
    assert chain_state.due(db, NOW, 10) == []
    assert set_back.was_ahead(db, NOW)
    set_back.date_anew(db, NOW)
    assert not set_back.was_ahead(db, NOW)
    assert chain_state.due(db, NOW, 10) == [first, second]
    assert wallets.next_turns(db, NOW + 1, NOW + 1, 1, 9)[0].wallet == ADA
    assert {one[2] for one in messages.held_of(db, [first, second])} == {NOW}  # with their checksums


def test_followed_blocks_come_newest_first_and_old_ones_go(tables: Tables) -> None:
    db = tables()
    for number in range(1, KEPT_BLOCKS + 50):
        chain_state.advance(db, block(number))
    newest = KEPT_BLOCKS + 49
    expected = [block(number) for number in range(newest, newest - KEPT_BLOCKS, -1)]
    assert chain_state.followed(db) == expected


def test_a_rewind_drops_blocks_and_anchors_and_keeps_bits(tables: Tables) -> None:
    db = tables()
    for number in (3, 5, 8):
        chain_state.advance(db, block(number))
        chain_state.add_anchor(db, anchor(sha256(bytes([number])), number))
        bits.merge_bits(db, ADA, {number: 1}, source="chain", now=NOW)
    chain_state.rewind(db, 5)
    assert chain_state.followed(db) == [block(5), block(3)]
    left = db.execute("SELECT block_number FROM anchors ORDER BY block_number").fetchall()
    assert left == [(3,), (5,)]
    assert bits_of(db, ADA) == {3: 1, 5: 1, 8: 1}
    chain_state.rewind(db, -1)
    assert chain_state.followed(db) == []
    assert bits_of(db, ADA) == {3: 1, 5: 1, 8: 1}


def test_an_endorsement_counts_from_its_block_on_and_for_its_signer(tables: Tables) -> None:
    db, statement = tables(), sha256(b"statement")
    assert endorsements.add(db, ADA, statement, 5)
    assert not endorsements.add(db, ADA, statement, 7)  # the first counts
    assert endorsements.endorsed_in(db, ADA, statement) == 5
    assert [endorsements.is_endorsed(db, ADA, statement, final) for final in (4, 5, 6)] == [
        False,
        True,
        True,
    ]
    assert not endorsements.is_endorsed(db, BEN, statement, 9)
    assert not endorsements.is_endorsed(db, ADA, sha256(b"other"), 9)


def test_a_rewind_drops_endorsements_above_it(tables: Tables) -> None:
    db = tables()
    for number in (3, 5, 8):
        chain_state.advance(db, block(number))
        endorsements.add(db, ADA, sha256(bytes([number])), number)
    chain_state.rewind(db, 5)
    left = [endorsements.endorsed_in(db, ADA, sha256(bytes([number]))) for number in (3, 5, 8)]
    assert left == [3, 5, None]
    chain_state.rewind(db, -1)
    assert endorsements.endorsed_in(db, ADA, sha256(b"\3")) is None


def test_bits_stand_on_chain_from_the_block_that_set_the_last_of_them(tables: Tables) -> None:
    db = tables()
    for number, word, mask in ((3, 7, 0b001), (4, 7, 0b110), (6, 8, 1)):
        relays.seen(db, number, ADA, word, mask)
    assert relays.block_with(db, ADA, {7: 0b001}) == 3
    assert relays.block_with(db, ADA, {7: 0b011}) == 4
    assert relays.block_with(db, ADA, {7: 0b111, 8: 1}) == 6
    assert relays.block_with(db, ADA, {7: 0b1000}) is None
    assert relays.block_with(db, ADA, {7: 1, 9: 1}) is None
    assert relays.block_with(db, BEN, {7: 1}) is None
    for number in (6, 6 + 2 * KEPT_BLOCKS):  # however long ago that is
        chain_state.advance(db, block(number))
    assert relays.block_with(db, ADA, {7: 1, 8: 1}) == 6


def test_what_a_reorganisation_drops_stands_on_chain_no_more(tables: Tables) -> None:
    db = tables()
    for number in (3, 5):
        chain_state.advance(db, block(number))
        relays.seen(db, number, ADA, 7, number)
    chain_state.rewind(db, 3)
    assert relays.block_with(db, ADA, {7: 5}) is None
    relays.seen(db, 6, ADA, 7, 5)
    assert relays.block_with(db, ADA, {7: 5}) == 6


def test_a_block_that_was_replaced_has_its_new_hash(tables: Tables) -> None:
    db = tables()
    chain_state.advance(db, block(4, "old"))
    chain_state.advance(db, block(4, "new"))
    assert chain_state.followed(db) == [block(4, "new")]


def test_the_first_place_of_a_root_counts(tables: Tables) -> None:
    db, root = tables(), sha256(b"root")
    chain_state.add_anchor(db, anchor(root, 4))
    chain_state.add_anchor(db, anchor(root, 9, b"\7" * 20))
    assert db.execute("SELECT * FROM anchors").fetchall() == [tuple(anchor(root, 4))]


def test_a_batch_comes_out_as_it_was_kept(tables: Tables) -> None:
    db = tables()
    made = Batch(SPONSOR, tuple(sha256(bytes([number])) for number in range(5)))
    chain_state.add_batch(db, made, own=False)
    chain_state.add_batch(db, made, own=False)
    assert chain_state.batch(db, made.root) == made
    assert chain_state.batch(db, sha256(b"another")) is None


def test_the_earliest_anchor_of_a_license_is_found_with_its_place(tables: Tables) -> None:
    db, shared = tables(), sha256(b"shared")
    late = Batch(SPONSOR, (shared,))
    early = Batch(SPONSOR, (sha256(b"x"), sha256(b"y"), shared))
    for batch in (late, early):
        chain_state.add_batch(db, batch, own=False)
    assert chain_state.anchor_of(db, shared) is None
    chain_state.add_anchor(db, anchor(late.root, 9))
    assert chain_state.anchor_of(db, shared) == (anchor(late.root, 9), 0)
    chain_state.add_anchor(db, anchor(early.root, 4))
    assert chain_state.anchor_of(db, shared) == (anchor(early.root, 4), 2)
    early.proof(2).check(shared, early.root)
    chain_state.rewind(db, 3)
    assert chain_state.anchor_of(db, shared) is None


def test_a_batch_is_due_when_it_is_full_or_its_oldest_waited_long_enough(tables: Tables) -> None:
    db = tables()
    assert chain_state.due(db, NOW, 3) == []
    first = waiting(db, 1, since=NOW)
    second = waiting(db, 2, since=NOW + 10)
    assert chain_state.due(db, NOW - 1, 3) == []
    assert chain_state.due(db, NOW, 3) == first + second
    third = waiting(db, 3, since=NOW + 20)
    waiting(db, 4, since=NOW + 20)
    assert chain_state.due(db, NOW - 1, 3) == first + second + third


def test_what_is_in_a_batch_no_longer_waits(tables: Tables) -> None:
    db = tables()
    licenses = waiting(db, 1, 2, 3)
    made = chain_state.make_batch(db, SPONSOR, licenses[:2])
    assert made.licenses == tuple(licenses[:2])
    assert chain_state.due(db, NOW, 10) == licenses[2:]


def test_missing_batches_come_page_by_page(tables: Tables) -> None:
    db = tables()
    held = Batch(SPONSOR, (sha256(b"x"),))
    chain_state.add_batch(db, held, own=False)
    roots = sorted([held.root, *(sha256(bytes([number])) for number in range(5))])
    for number, root in enumerate(roots):
        chain_state.add_anchor(db, anchor(root, 9 - number))
    missing = [root for root in roots if root != held.root]
    assert chain_state.missing_batches(db, b"", 100) == missing
    assert chain_state.missing_batches(db, missing[1], 2) == missing[2:4]
    assert chain_state.missing_batches(db, missing[-1], 2) == []


def test_a_batch_costs_the_same_however_long_the_queue_is() -> None:
    costs = []
    for queued in (100, 3_000):
        with counted_steps() as steps:
            db = BACKENDS["sqlite"].tables()
        rows = [(number, sha256(b"%d" % number), NOW) for number in range(queued)]
        db.executemany("INSERT INTO anchor_queue VALUES (?, ?, ?)", rows)
        licenses = chain_state.due(db, NOW, 50)
        before = steps.count
        chain_state.make_batch(db, SPONSOR, licenses)
        costs.append(steps.count - before)
        assert chain_state.due(db, NOW, 1) == [rows[50][1]]
    assert costs[1] <= 1.1 * costs[0]


def test_missing_batches_are_found_among_any_number_of_anchors() -> None:
    costs = []
    for held in (10, 1_000):
        with counted_steps() as steps:
            db = BACKENDS["sqlite"].tables()
        for number in range(held):
            batch = Batch(SPONSOR, (sha256(b"%d" % number),))
            if number % 2:
                chain_state.add_batch(db, batch, own=False)
            chain_state.add_anchor(db, anchor(batch.root, number))
            chain_state.add_batch(db, batch, own=False)
        chain_state.add_anchor(db, anchor(b"\xff" * 32, held))
        before = steps.count
        assert chain_state.missing_batches(db, b"", 16) == [b"\xff" * 32]
        costs.append(steps.count - before)
        chain_state.rewind(db, held - 1)
        assert chain_state.missing_batches(db, b"", 16) == []
    assert costs[0] == costs[1]


def _relayed(db: Writing, at: int) -> None:
    """A relay that has long been settled: at a height of the chain, and as many days ago."""
    intent = intents.add(db, "relay", b"", b"", NOW)
    relays.keep_items(db, intent, [sha256(b"%d" % intent)])
    relays.keep_shares(db, intent, {ADA: 1})
    intents.mined(db, intent, block(at), 1, NOW - (1_000 - at) * intents.DAY_S)
    intents.settle(db, intent, "done")


def test_relays_under_way_are_found_among_any_number_of_settled_ones() -> None:
    costs = []
    for settled in (10, 900):
        with counted_steps() as steps:
            db = BACKENDS["sqlite"].tables()
        for number in range(settled):
            _relayed(db, number % 900)
        _relayed(db, 999)
        intent = intents.add(db, "relay", b"", b"", NOW)
        relays.keep_items(db, intent, [b"open" * 8])
        before = steps.count
        assert relays.under_way(db, NOW, last_final=998) == {sha256(b"%d" % (intent - 1)), b"open" * 8}
        assert relays.highest(db) == 999
        assert relays.spent_for(db, ADA, NOW - intents.DAY_S + 1) == 1
        costs.append(steps.count - before)
    assert costs[1] <= 1.1 * costs[0]
