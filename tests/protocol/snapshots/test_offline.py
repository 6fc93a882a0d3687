"""What a snapshot says of rows is what the verdict says, and clear only of whom its maker knew."""

import math
from collections.abc import Iterable
from itertools import groupby
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso_protocol.errors import MissingDelta
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.receipts.receipt import join_rows
from sayso_protocol.snapshots.hash_list import license_key, person_key
from sayso_protocol.snapshots.keys import as_keys
from sayso_protocol.snapshots.offline import HeldLicenses, OfflineGate
from sayso_protocol.snapshots.part import Part
from sayso_protocol.snapshots.snapshot import Snapshot, Snapshots
from sayso_protocol.verdicts.query import Query
from sayso_protocol.verdicts.verdict import REASONS, License, Reason, Row, verdict
from support.histories import BASE, BUYERS, ITEMS, PAIR, Message, histories, questions
from support.known import Known, license_hash
from support.protocol_strategies import ADA, BEN, CLEO, NODE, a_consent
from support.snapshot_making import Content
from support.snapshots import (
    AS_OF,
    DAY,
    OTHER,
    TRUSTED,
    add_delta,
    moment_at,
    names_of,
    parts_of,
    snapshot_of,
)

QUERY = Query(BEN, "train-ai")
NOW = AS_OF + 20


def gate(known: Known, *snapshots: Snapshot, query: Query = QUERY, max_age_s: float = 60) -> OfflineGate:
    licenses = known.licenses.items()
    held = HeldLicenses((name, one.consent, one.items) for name, one in licenses)
    return OfflineGate(held, Snapshots(snapshots), query, max_age_s=max_age_s)


def judged(gate: OfflineGate, rows: Iterable[Row], now: float = NOW) -> list[Reason]:
    reasons = gate.judge(join_rows(rows), now).reasons
    return [REASONS[number] for number in reasons.tolist()]


@given(histories(), st.sampled_from(["one", "union", "delta"]))
def test_it_agrees_with_the_verdict(history: list[Message], kind: str) -> None:
    known = Known(history)
    people = [*known.state.items()]
    half = dict(people[: len(people) // 2])
    names = names_of(known.licenses.values())
    other = dict(people[len(half) :])
    snapshots = {
        "one": lambda: [snapshot_of(known.state, names)],
        "union": lambda: [snapshot_of(half, names), snapshot_of(other, names, key=OTHER)],
        "delta": lambda: [Snapshot(parts_of(half, known.state, named=names), TRUSTED)],
    }[kind]()
    asked = sorted(questions(history), key=lambda one: (one.now, one.query.grantee, one.query.purpose))
    for (query, now), some in groupby(asked, lambda one: (one.query, one.now)):
        rows = [one.row for one in some]
        answers = judged(gate(known, *snapshots, query=query), rows, now)
        assert answers == [verdict(known, one, query, now) for one in rows]


@given(histories(), st.data())
def test_what_several_files_clear_each_of_them_clears(
    history: list[Message], data: st.DataObject
) -> None:
    """And each is of a maker who knew everybody and everything that the row depends on."""
    known = Known(history)
    names = names_of(known.licenses.values())
    files = []
    for key in (NODE, OTHER):
        state = {who: masks for who, masks in known.state.items() if data.draw(st.booleans())}
        some = [name for name in names if data.draw(st.integers(0, 9))]
        files.append(snapshot_of(state, some, key=key))
    query, now = Query(BUYERS[0], "train-ai"), BASE + 100
    asked = [Row(name, item) for name, one in known.licenses.items() for item in one.items]
    together = judged(gate(known, *files, query=query), asked, now)
    alone = [judged(gate(known, one, query=query), asked, now) for one in files]
    for row, reason, *each in zip(asked, together, *alone, strict=True):
        assert (reason is Reason.GRANTED) <= (each == [Reason.GRANTED] * 2)
        assert (Reason.REVOKED in each) <= (reason is not Reason.GRANTED)
        if reason is Reason.GRANTED:
            needed = [
                license_key(row.license),
                person_key(known.licenses[row.license].consent.contributor),
            ]
            assert all(one.name(needed).all() for one in files)


def naming(known: Known, *but: bytes, **options: Any) -> Snapshot:
    """A snapshot without revocations, that names all but these."""
    return snapshot_of({}, names_of(known.licenses.values(), but), **options)


def one_license(**changes: object) -> tuple[Known, list[Row]]:
    consent = a_consent(ITEMS, **changes)
    return Known([License(consent, ITEMS)]), [Row(license_hash(consent), item) for item in ITEMS]


@pytest.mark.parametrize(
    ("now", "max_age_s", "reason"),
    [
        (NOW, 20, Reason.GRANTED),
        (NOW, 19, Reason.STALE),
        (AS_OF + DAY - 1, DAY, Reason.GRANTED),
        (AS_OF + DAY, 2 * DAY, Reason.STALE),
        (NOW + DAY, 60, Reason.STALE),
        (AS_OF - 600, 60, Reason.GRANTED),
        (AS_OF - DAY, 2 * DAY, Reason.STALE),
        (math.nan, 60, Reason.NOT_YET_VALID),
    ],
)
def test_it_is_stale_when_too_old_or_the_clock_is_wrong(
    now: float, max_age_s: int, reason: Reason
) -> None:
    known, rows = one_license(issued_at=AS_OF - 2 * DAY)
    assert judged(gate(known, naming(known), max_age_s=max_age_s), rows, now) == [reason] * 3


def test_one_stale_snapshot_of_several_makes_all_stale() -> None:
    known, rows = one_license()
    old = naming(known, key=OTHER, as_of=AS_OF - 3_600)
    assert judged(gate(known, naming(known), old), rows) == [Reason.STALE] * 3


def test_a_stale_snapshot_still_refuses() -> None:
    known, rows = one_license()
    revoked = Known([Revocation(ADA, ("everything",))]).state
    old = snapshot_of(revoked, key=OTHER, as_of=AS_OF - 3_600)
    assert judged(gate(known, naming(known), old), rows) == [Reason.REVOKED] * 3


def test_a_consent_that_came_after_the_snapshot_is_stale() -> None:
    """Nobody could revoke it before, so a snapshot from before says nothing (rule 8.9)."""
    known, rows = one_license(issued_at=AS_OF + 1)
    assert judged(gate(known, naming(known)), rows) == [Reason.STALE] * 3


@pytest.mark.parametrize(
    ("who", "changes"),
    [
        (ADA, {}),
        (CLEO, {"guardian": CLEO}),
        (BEN, {"parties": PAIR}),
    ],
)
def test_who_is_not_named_makes_stale(who: bytes, changes: dict[str, object]) -> None:
    known, rows = one_license(**changes)
    other = License(a_consent(ITEMS, contributor=BEN, parties=PAIR), ITEMS)
    known.hear(other)
    assert judged(gate(known, naming(known)), rows) == [Reason.GRANTED] * 3
    assert judged(gate(known, naming(known, who)), rows) == [Reason.STALE] * 3
    assert judged(gate(known, naming(known), naming(known, who, key=OTHER)), rows) == [Reason.STALE] * 3
    withdrawing = Snapshot(withdrawn(known, who), TRUSTED)
    assert judged(gate(known, withdrawing), rows) == [Reason.STALE] * 3


def withdrawn(known: Known, who: bytes) -> list[Part]:
    """A snapshot that names everybody, and a delta that withdraws one person."""
    parts = parts_of({}, named=names_of(known.licenses.values()))
    news = Content(as_keys(b""), (), [person_key(who)])
    return [*parts, add_delta(parts, news, moment=moment_at(), salt=bytes(16))]


def test_a_license_that_is_not_named_makes_stale() -> None:
    known, rows = one_license()
    assert judged(gate(known, naming(known, rows[0].license)), rows) == [Reason.STALE] * 3


@pytest.mark.parametrize("number", range(3))
def test_who_is_not_named_of_another_party_makes_stale(number: int) -> None:
    known, rows = one_license(parties=PAIR)
    other = a_consent(ITEMS, contributor=BEN, parties=PAIR, guardian=CLEO)
    known.hear(License(other, ITEMS))
    assert judged(gate(known, naming(known)), rows) == [Reason.GRANTED] * 3
    unknown = (CLEO, BEN, license_hash(other))[number]
    assert judged(gate(known, naming(known, unknown)), rows) == [Reason.STALE] * 3


def test_other_reasons_are_kept_when_it_is_stale() -> None:
    known, rows = one_license()
    answers = judged(gate(known, naming(known, ADA), query=Query(BEN, "resale")), rows)
    assert answers == [Reason.PURPOSE_NOT_GRANTED] * 3
    assert judged(gate(Known(), snapshot_of({})), rows) == [Reason.UNKNOWN] * 3


def test_no_snapshot_is_no_answer() -> None:
    with pytest.raises(MissingDelta):
        Snapshots([])
