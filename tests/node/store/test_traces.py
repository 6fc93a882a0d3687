"""Traces: each holder with what it stated and owes; the cost is that of the holders of the page."""

from collections.abc import Callable
from pathlib import Path

import pytest

from node.store.harness import Tables
from node.store.test_sublicenses import give
from node.store.test_sublicenses_cost import terms
from sayso_node.errors import NotFound
from sayso_node.store.admission import revocations
from sayso_node.store.chain import block_dates, chain_state, relays
from sayso_node.store.chain.chain_state import Anchor
from sayso_node.store.interface import Reading, Writing
from sayso_node.store.statements import sublicenses, traces
from sayso_node.store.statements.traces import Trace
from sayso_protocol.ethereum.batches import Batch
from sayso_protocol.messages.envelope import Envelope
from sayso_protocol.messages.message import REMOVAL, as_kind
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.primitives import hex_text, sha256
from sayso_protocol.receipts.receipt import ChainPoint
from sayso_protocol.traces.duties import DAY_S, Block, Standing
from support.holders import LABS, removal, sublicense, use
from support.node_rig import NOW, NodeRig, consent, revocation
from support.passed_rows import add_passed
from support.protocol_strategies import ADA, BEN, CLEO, NETWORK
from support.sql_steps import counted_steps

SOLD = consent(1, purposes=("resale", "train-ai"))  # to Ben
LICENSE = SOLD.digest
DAN, EVE, FAY, *_ = LABS
TO_DAN = sublicense(BEN, DAN, [LICENSE], purposes=("resale", "train-ai"))
TO_EVE = sublicense(DAN, EVE, [LICENSE], TO_DAN.digest)
STOP = revocation("everything")


def at(number: int) -> int:
    """The time of a block."""
    return 1_750_000_000 + 12 * number


def dated(db: Writing, number: int) -> bytes:
    name = sha256(b"block %d" % number)
    block_dates.want(db, number, name)
    block_dates.date(db, ChainPoint(number, name), at(number))
    return name


def land(db: Writing, number: int, envelope: Envelope) -> None:
    """The chain says what a revocation says."""
    message = as_kind(envelope.message, Revocation)
    dated(db, number)
    for word, mask in message.bits.items():
        relays.seen(db, number, message.contributor, word, mask)
        revocations.add_chain_bits(db, message.contributor, {word: mask}, NOW)


def anchor(db: Writing, number: int, *some: Envelope) -> None:
    batch = Batch(sha256(b"node %d" % number), tuple(one.digest for one in some))
    chain_state.add_batch(db, batch, own=False)
    chain_state.add_anchor(db, Anchor(batch.root, BEN, number, dated(db, number)))
    dated(db, number)


def be_final(db: Writing, number: int, time: int | None = None) -> None:
    block_dates.set_final(db, Block(number, at(number) if time is None else time))


def traced(db: Reading, after: bytes = bytes(20), limit: int = 16) -> Trace:
    return traces.trace(db, NETWORK, LICENSE, after, limit)


def standings(db: Reading) -> dict[bytes, list[Standing]]:
    return {one.address: [each.standing for each in one.duties] for one in traced(db).holders}


def test_every_holder_is_there_with_what_it_said(tables: Tables) -> None:
    db = tables()
    said = use(EVE, [TO_EVE.digest])
    give(db, [SOLD, TO_DAN, TO_EVE, use(BEN, [LICENSE]), said, use(FAY, [LICENSE])])
    anchor(db, 3, said)
    be_final(db, 3)
    found = {one.address: one for one in traced(db).holders}
    assert list(found) == sorted([BEN, DAN, EVE])  # Fay's is a claim
    assert [len(found[one].uses) for one in (BEN, DAN, EVE)] == [1, 0, 1]
    assert found[EVE].uses[0].anchored == Block(3, at(3))
    assert [one.terms.digest for one in found[EVE].held] == [TO_EVE.digest]
    assert [one.depth for one in found[EVE].held] == [2]
    assert not any(one.duties for one in found.values())


def test_pages_join_to_the_whole(tables: Tables, monkeypatch: pytest.MonkeyPatch) -> None:
    db = tables()
    give(db, [SOLD, *(sublicense(BEN, one, [LICENSE]) for one in LABS)])
    whole = traced(db)
    assert (len(whole.holders), whole.after) == (len(LABS) + 1, None)
    for limit, most in ((1, 65_536), (2, 65_536), (16, 1)):
        monkeypatch.setattr(traces, "PAGE_PERMISSIONS", most)
        found, after = list[bytes](), bytes(20)
        while True:
            page = traced(db, after, limit)
            found += [one.address for one in page.holders]
            if page.after is None:
                break
            after = page.after
        assert found == [one.address for one in whole.holders]


def test_one_confirms_and_the_other_is_due_and_then_late(tables: Tables) -> None:
    db = tables()
    give(db, [SOLD, TO_DAN, STOP])
    be_final(db, 4)
    assert standings(db) == {BEN: [Standing.UNDATED], DAN: [Standing.UNDATED]}
    land(db, 5, STOP)
    assert standings(db)[DAN] == [Standing.UNDATED]  # its block is not final
    be_final(db, 9)
    gone, early = removal(BEN, [LICENSE], 5), removal(DAN, [TO_DAN.digest], 4)
    give(db, [gone, early])
    assert standings(db) == {BEN: [Standing.DUE], DAN: [Standing.DUE]}
    anchor(db, 8, gone, early)
    assert standings(db) == {BEN: [Standing.CONFIRMED], DAN: [Standing.DUE]}
    (ben,) = [one.duties[0] for one in traced(db).holders if one.address == BEN]
    assert (ben.revoked, ben.due) == (Block(5, at(5)), at(5) + 30 * DAY_S)
    assert ben.confirmation
    assert ben.confirmation.anchored == Block(8, at(8))
    be_final(db, 99, at(5) + 30 * DAY_S + 1)
    assert standings(db) == {BEN: [Standing.CONFIRMED], DAN: [Standing.LATE]}
    late = removal(DAN, [TO_DAN.digest], 20)
    give(db, [late])
    anchor(db, 50, late)
    assert standings(db)[DAN] == [Standing.CONFIRMED]


def test_a_batch_with_the_revocation_starts_the_clock_too(tables: Tables) -> None:
    db = tables()
    give(db, [SOLD, STOP])
    anchor(db, 6, STOP)
    land(db, 8, STOP)
    be_final(db, 9)
    (ben,) = traced(db).holders
    assert [one.revoked for one in ben.duties] == [Block(6, at(6))]


def test_a_withdrawn_removal_confirms_nothing_and_a_withdrawn_sublicense_owes_nothing(
    tables: Tables,
) -> None:
    db = tables()
    gone = removal(BEN, [LICENSE], 5)
    give(db, [SOLD, TO_DAN, STOP, gone])
    give(db, [revocation(f"statement {hex_text(TO_DAN.digest)}", contributor=BEN)])
    be_final(db, 9)
    assert [one.held[0].is_withdrawn for one in traced(db).holders if one.address == DAN] == [True]
    land(db, 5, STOP)
    anchor(db, 8, gone)
    assert standings(db)[BEN] == [Standing.CONFIRMED]
    give(db, [revocation(f"statement {hex_text(gone.digest)}", contributor=BEN)])
    assert standings(db)[BEN] == [Standing.DUE]


def test_withdrawing_creates_no_duty(tables: Tables) -> None:
    db = tables()
    give(db, [SOLD, TO_DAN, revocation("statements", contributor=BEN)])
    be_final(db, 9)
    assert standings(db) == {BEN: [], DAN: []}


def test_nobody_confirms_for_another(tables: Tables) -> None:
    db = tables()
    other = consent(2, grantee=CLEO)
    foreign = removal(CLEO, [LICENSE, other.digest], 7)  # kept, because Cleo holds the other one
    give(db, [SOLD, other, STOP, foreign])
    land(db, 5, STOP)
    anchor(db, 8, foreign)
    be_final(db, 9)
    assert standings(db) == {BEN: [Standing.DUE]}


def test_what_is_not_held_has_no_trace(tables: Tables) -> None:
    db = tables()
    give(db, [TO_DAN])
    with pytest.raises(NotFound):
        traced(db)


def _shouted(db: Writing) -> None:
    """Others name the license: in removals, uses and sublicenses, and revoke what is theirs."""
    rows = [(LICENSE, REMOVAL, CLEO, sha256(b"shout %d" % n)) for n in range(20_000)]
    db.executemany("INSERT INTO named VALUES (?, ?, ?, ?)", rows)
    more = [terms(n, sha256(b"lab %d" % n)[:20]) for n in range(20_000)]
    sublicenses.insert(db, more)
    add_passed(db, LICENSE, more)
    words = [(4, ADA, sha256(b"word %d" % n), b"\1".rjust(32, b"\0")) for n in range(20_000)]
    db.executemany("INSERT INTO landed VALUES (?, ?, ?, ?)", words)


async def test_a_page_costs_what_its_holders_did(tmp_path: Path) -> None:
    def begin(db: Writing) -> None:
        give(db, [SOLD, TO_DAN, TO_EVE, STOP, removal(BEN, [LICENSE], 5)])
        land(db, 5, STOP)
        be_final(db, 9)

    async def cost(name: str, *fills: Callable[[Writing], None]) -> int:
        (tmp_path / name).mkdir()
        with NodeRig(tmp_path / name) as rig:
            for fill in (begin, *fills):
                await rig.store.write(fill)
        with counted_steps() as steps, NodeRig(tmp_path / name) as rig:
            before = steps.count
            with rig.store.read() as db:
                found = traced(db, limit=3)
            assert len(found.holders) == 3
            return steps.count - before

    small, large = await cost("small"), await cost("large", _shouted)
    assert large < 2 * small + 500, (small, large)
