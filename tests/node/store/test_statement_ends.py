"""Rule 15.7: statements end by the time of the chain, exactly then, a bounded number at once."""

from typing import Any

import pytest

from node.store.harness import Tables
from node.store.test_sublicenses import give
from node.store.test_traces import be_final, dated, land
from sayso_node.errors import NotFound
from sayso_node.store import erasure, log_pages, messages
from sayso_node.store.interface import Reading, Writing
from sayso_node.store.statements import chains, ends, licenses, lookup, sublicenses, traces
from sayso_node.store.sync import entries as sync_entries
from sayso_node.store.sync import index as sync_index
from sayso_protocol.messages.consent import Consent
from sayso_protocol.messages.envelope import Envelope
from sayso_protocol.messages.message import STATEMENTS, as_kind
from sayso_protocol.permissions.scopes import to_subject
from sayso_protocol.sync.fingerprints import ROOT
from sayso_protocol.sync.sets import SETS
from sayso_protocol.traces.duties import DAY_S
from sayso_protocol.traces.endings import KEPT_S
from support.holders import LABS, dispute, removal, sublicense, use
from support.node_rig import consent, revocation
from support.protocol_strategies import BEN, CLEO, NETWORK

DAN, EVE, *_ = LABS
SOLD = consent(1, count=2, purposes=("resale", "train-ai"))  # to Ben
TERMS = as_kind(SOLD.message, Consent)
TO_DAN = sublicense(BEN, DAN, [SOLD.digest], purposes=("resale", "train-ai"))
TO_EVE = sublicense(DAN, EVE, [SOLD.digest], TO_DAN.digest)
SAID = [TO_DAN, TO_EVE, use(BEN, [SOLD.digest]), removal(BEN, [SOLD.digest]), use(EVE, [TO_EVE.digest])]
EXPIRED = TERMS.expires_at + KEPT_S
STOP = revocation("everything")


def at(number: int) -> int:
    return 1_750_000_000 + 12 * number


def run(db: Writing, time: int, number: int = 90) -> set[bytes]:
    """Let the last final block have this time, and run until nothing ends any more; what has ended."""
    be_final(db, number, time)
    for _ in range(20):
        if not (found := ends.look(db, NETWORK)):
            break
        ends.settle(db, NETWORK, found)
    rows = db.execute("SELECT digest FROM messages WHERE kind = ?", (messages.ENDED,))
    return {digest for (digest,) in rows}


def listed(db: Reading) -> set[bytes]:
    """The statements that sync lists; its sums are those of the entries."""
    found = set[bytes]()
    for number in {SETS[kind].number for kind in STATEMENTS}:
        names = [name for _, name in sync_entries.ids(db, number, ROOT)]
        [total] = sync_index.sums(db, number, [ROOT], 0)
        assert (total.total, total.size) == (sum(map(int.from_bytes, names)) % 2**256, len(names))
        found.update(names)
    return found


def rows_of(db: Reading, *some: Envelope) -> dict[str, int]:
    """How many rows of any table name these statements, besides their tombstones."""
    tables = "sublicense_terms", "named", "disputes", "statement_words", "statement_ends"
    names = {one.digest for one in some}
    [passing] = db.execute("SELECT count(*) FROM passed_on").fetchone()
    return {"passed_on": passing} | {
        table: sum(digest in names for (digest,) in db.execute(f"SELECT digest FROM {table}"))
        for table in tables
    }


def test_never_revoked_they_end_a_year_after_the_license_expired(tables: Tables) -> None:
    db = tables()
    give(db, [SOLD, *SAID])
    assert run(db, EXPIRED - 1) == set()
    assert listed(db) == {one.digest for one in SAID}
    run(db, EXPIRED)
    assert run(db, EXPIRED + 1) == {one.digest for one in SAID}
    assert listed(db) == set()
    assert not any(rows_of(db, *SAID).values())


@pytest.mark.parametrize("one", [TO_DAN, use(BEN, [SOLD.digest]), removal(BEN, [SOLD.digest])])
def test_the_last_second_counts(tables: Tables, one: Envelope) -> None:
    db = tables()
    give(db, [SOLD, one])
    assert run(db, EXPIRED - 1) == set()
    assert run(db, EXPIRED) == {one.digest}
    with pytest.raises(NotFound):  # no list goes on behind it, nor begins anew
        lookup.kept(db, SOLD.digest, one.message.kind, one.digest, 100)


def test_wholly_revoked_they_end_a_year_after_the_last_day_that_is_due(tables: Tables) -> None:
    db = tables()
    give(db, [SOLD, TO_DAN, STOP])
    land(db, 5, STOP)
    end = at(5) + TERMS.removal_days * DAY_S + KEPT_S
    assert end < EXPIRED
    assert run(db, end - 1) == set()
    assert run(db, end) == {TO_DAN.digest}


def test_what_is_revoked_in_part_may_be_used_until_it_expires(tables: Tables) -> None:
    db = tables()
    part = revocation(words=TERMS.masks([0], ["train-ai"]))
    give(db, [SOLD, TO_DAN, part])
    land(db, 5, part)
    assert run(db, EXPIRED - 1) == set()
    assert run(db, EXPIRED) == {TO_DAN.digest}


def test_what_no_final_block_dates_does_not_shorten(tables: Tables) -> None:
    db = tables()
    give(db, [SOLD, TO_DAN, STOP])
    assert run(db, EXPIRED - 1) == set()
    land(db, 95, STOP)  # after the last final block
    assert run(db, EXPIRED - 1) == set()
    assert run(db, EXPIRED) == {TO_DAN.digest}


def test_a_revocation_that_comes_later_prolongs(tables: Tables) -> None:
    """One after the license expired: its removal is due, so the holder is asked about longer."""
    db = tables()
    give(db, [SOLD, TO_DAN])
    assert run(db, EXPIRED - 9) == set()
    give(db, [STOP])
    land(db, 80, STOP)
    name = db.execute("SELECT hash FROM dated_blocks WHERE number = 80").fetchone()[0]
    db.execute("UPDATE dated_blocks SET time = ? WHERE hash = ?", (EXPIRED - 8, name))
    later = EXPIRED - 8 + TERMS.removal_days * DAY_S + KEPT_S
    assert run(db, EXPIRED) == set()
    assert run(db, later - 1) == set()
    assert run(db, later) == {TO_DAN.digest}
    assert run(db, later + DAY_S) == {TO_DAN.digest}


def test_a_holder_of_its_own_is_revoked_alone(tables: Tables) -> None:
    db = tables()
    to_cleo, stop = sublicense(BEN, CLEO, [SOLD.digest]), revocation(to_subject(DAN))
    give(db, [SOLD, TO_DAN, to_cleo, stop])
    land(db, 5, stop)
    end = at(5) + TERMS.removal_days * DAY_S + KEPT_S
    assert run(db, end - 1) == set()
    assert run(db, end) == {TO_DAN.digest}
    assert run(db, EXPIRED) == {TO_DAN.digest, to_cleo.digest}


def test_the_license_that_lasts_longest_decides(tables: Tables) -> None:
    db = tables()
    longer = consent(2, expires_at=TERMS.expires_at + 9, purposes=("resale", "train-ai"))
    to_dan = sublicense(BEN, DAN, [SOLD.digest, longer.digest])
    unknown = use(BEN, [SOLD.digest, longer.digest, b"\xff" * 32])
    give(db, [SOLD, to_dan, unknown])
    assert run(db, EXPIRED - 1 - ends.AWAITED_S) == set()
    assert run(db, EXPIRED - 1) == set()
    give(db, [longer])  # a license that was unknown counts when it comes
    assert run(db, EXPIRED + 8) == set()
    assert run(db, EXPIRED + 9) == {to_dan.digest, unknown.digest}


ON_ITS_WAY = consent(2, expires_at=TERMS.expires_at + ends.AWAITED_S + 9, purposes=TERMS.purposes)
BOTH = [SOLD.digest, ON_ITS_WAY.digest]


@pytest.mark.parametrize("one", [removal(BEN, BOTH), use(BEN, BOTH), sublicense(BEN, DAN, BOTH)])
def test_what_names_a_license_that_is_on_its_way_does_not_end_before_it_comes(
    tables: Tables, one: Envelope
) -> None:
    """A new node hears of it by gossip before it has all consents."""
    db = tables()
    give(db, [SOLD, one])
    assert run(db, EXPIRED + 1) == set()
    give(db, [ON_ITS_WAY])
    assert run(db, EXPIRED + ends.AWAITED_S + 8) == set()
    assert run(db, EXPIRED + ends.AWAITED_S + 9) == {one.digest}


def test_what_never_comes_is_awaited_for_a_while_and_once(tables: Tables) -> None:
    db = tables()
    one = use(BEN, [SOLD.digest, b"\xff" * 32])
    give(db, [SOLD, one])
    assert run(db, EXPIRED + 1) == set()
    assert run(db, EXPIRED + ends.AWAITED_S) == set()
    assert run(db, EXPIRED + ends.AWAITED_S + 1) == {one.digest}


def erased(db: Writing) -> int:
    """Erase a consent that was passed on and revoked; returns when what passed it on ends."""
    give(db, [SOLD, TO_DAN, STOP])
    land(db, 5, STOP)
    be_final(db, 6)
    erasure.erase(db, NETWORK, SOLD.digest)
    return at(5) + TERMS.removal_days * DAY_S + KEPT_S


def test_what_has_ended_or_was_erased_is_not_awaited(tables: Tables) -> None:
    db = tables()
    end = erased(db)
    assert run(db, end) == {TO_DAN.digest}
    late = removal(BEN, [SOLD.digest, TO_DAN.digest])
    give(db, [late])
    assert run(db, end + 1) == {TO_DAN.digest, late.digest}


def test_an_erased_consent_still_says_when(tables: Tables) -> None:
    db = tables()
    end = erased(db)
    assert run(db, end - 1) == set()
    assert run(db, end) == {TO_DAN.digest}


def test_a_dispute_ends_a_year_after_its_own_end(tables: Tables) -> None:
    db = tables()
    one = dispute(CLEO, [SOLD.items[0]])
    give(db, [one])
    end = one.message.expires_at + KEPT_S  # type: ignore[attr-defined]
    assert listed(db) == {one.digest}
    assert run(db, end - 1) == set()
    assert run(db, end) == {one.digest}
    assert not any(rows_of(db, one).values())


def test_the_digest_stays_known_and_nothing_is_given(tables: Tables) -> None:
    db = tables()
    give(db, [SOLD, *SAID])
    run(db, EXPIRED)
    run(db, EXPIRED + 1)
    for one in SAID:
        assert messages.is_known(db, one.digest)
        assert messages.is_tombstone(db, one.digest)
        assert lookup.statement(db, one.digest) is None
        assert list(messages.bodies(db, [one.digest])) == []
    give(db, SAID)
    assert listed(db) == set()
    assert not any(rows_of(db, *SAID).values())
    pages = [body for page in log_pages.log_pages(db, 10) for body in page]
    assert len(pages) == 1
    found = traces.trace(db, NETWORK, SOLD.digest, bytes(20), 16)
    assert [one.address for one in found.holders] == [BEN]
    query = "SELECT contributor, body, arrived_at FROM messages WHERE kind = ?"
    assert set(db.execute(query, (messages.ENDED,))) == {(b"", b"", 0.0)}


def test_below_a_sublicense_that_has_ended_no_chain_is_open(tables: Tables) -> None:
    db = tables()
    stop = revocation(to_subject(DAN))
    give(db, [SOLD, TO_DAN, TO_EVE, stop])
    assert chains.chains_to(db, [SOLD.digest], EVE).named == {SOLD.digest: (TO_EVE.digest,)}
    land(db, 5, stop)
    assert run(db, at(5) + TERMS.removal_days * DAY_S + KEPT_S) == {TO_DAN.digest}
    assert chains.chains_to(db, [SOLD.digest], EVE) == ({SOLD.digest: ()}, {})
    assert [one.digest for one in sublicenses.sublicenses_to(db, SOLD.digest, EVE)] == [TO_EVE.digest]


def test_without_a_final_block_nothing_ends(tables: Tables) -> None:
    db = tables()
    give(db, [SOLD, *SAID])
    assert ends.look(db, NETWORK) == []


def test_a_block_without_a_time_ends_nothing(tables: Tables) -> None:
    db = tables()
    give(db, [SOLD, TO_DAN, STOP])
    land(db, 5, STOP)
    db.execute("UPDATE dated_blocks SET time = NULL")
    assert run(db, EXPIRED) == set()
    dated(db, 5)
    assert run(db, EXPIRED + ends.UNDATED_S) == {TO_DAN.digest}


def test_a_round_looks_at_some_and_the_next_at_others(
    tables: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    db = tables()
    said = [use(BEN, [SOLD.digest], f"run-{n}") for n in range(7)]
    give(db, [SOLD, *said])
    monkeypatch.setattr(ends, "LOOKS_AT_ONCE", 3)
    monkeypatch.setattr(ends, "HASHES_AT_ONCE", 2)
    be_final(db, 90, EXPIRED)
    ended = list[int]()
    while found := ends.look(db, NETWORK):
        assert len(found) <= 3
        ended.append(ends.settle(db, NETWORK, found))
    assert (max(ended), sum(ended)) == (2, 7)


def test_many_revoked_licenses_take_rounds_and_none_is_read_twice(
    tables: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    db = tables()
    some = [consent(n, count=4, purposes=("train-ai",)) for n in range(6)]
    one = use(BEN, [each.digest for each in some])
    give(db, [*some, one, STOP])
    land(db, 5, STOP)
    be_final(db, 90, at(5) + TERMS.removal_days * DAY_S + KEPT_S)
    monkeypatch.setattr(ends, "PERMISSIONS_A_ROUND", 8)
    read = list[bytes]()
    original = licenses.licensed

    def counted(handle: Reading, network: Any, name: bytes) -> Any:
        read.append(name)
        return original(handle, network, name)

    monkeypatch.setattr(ends, "licensed", counted)
    ended = [ends.settle(db, NETWORK, ends.look(db, NETWORK)) for _ in range(4)]
    assert ended == [0, 0, 1, 0]
    assert sorted(read) == sorted(each.digest for each in some)
