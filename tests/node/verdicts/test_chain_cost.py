"""What a look costs does not grow with what holders pass on: counted in steps of the database."""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from unittest import mock

import numpy as np
import pytest

from sayso_node.store import many
from sayso_node.store.interface import Writing
from sayso_node.store.messages import Message, insert_many
from sayso_node.store.revocations.known_bits import StoreBits
from sayso_node.store.statements import sublicenses
from sayso_node.store.statements.sublicenses import SublicenseTerms
from sayso_node.verdicts.judge import Check
from sayso_node.verdicts.knowledge import StoreKnowledge
from sayso_node.verdicts.table_cache import TableCache
from sayso_protocol.messages.message import CONSENT
from sayso_protocol.messages.statements.sublicense import NO_PARENT
from sayso_protocol.primitives import sha256
from sayso_protocol.receipts.receipt import join_rows
from sayso_protocol.verdicts.bulk import judge_rows
from sayso_protocol.verdicts.chains import OpenChains
from sayso_protocol.verdicts.license_table import HASH, LicenseTable
from sayso_protocol.verdicts.query import Query
from sayso_protocol.verdicts.verdict import REASONS, License, Reason, Row
from support import passed_rows
from support.known import Heard, license_hash, message_hash
from support.node_rig import ManualClock, NodeRig
from support.passed_rows import PASSED, add_grants, add_passed, number_of
from support.passing import AGENT, BASE, ITEMS, LAB, LATE, MARKET, RESELLER, a_license, pass_on, sealed
from support.protocol_strategies import NETWORK
from support.sql_steps import Steps, counted_steps

Fill = Callable[[Writing], None]
MANY = 100_000
TERMS = (
    "INTO sublicense_terms"
    " (number, digest, parent, signer, grantee, purposes, issued_at, expires_at, seen_at)"
)
HELD = a_license()
NAME = license_hash(HELD.consent)
QUERY = Query(LAB, "train-ai")
ABOVE = pass_on(MARKET, RESELLER, HELD)
OWN = [
    pass_on(MARKET, LAB, HELD),
    pass_on(RESELLER, LAB, HELD, parent=message_hash(ABOVE.terms)),
]
_NUMBERS = "WITH RECURSIVE n (i) AS (VALUES (0) UNION ALL SELECT i + 1 FROM n WHERE i < ?)"


async def cost(
    folder: Path, name: str, held: License, messages: list[Heard], fill: Fill | None = None
) -> tuple[int, set[Reason]]:
    """The steps of a check of a license with nothing in memory, and its reasons."""
    with NodeRig(folder, name=name, clock=ManualClock(BASE + 50)) as rig:
        for one in messages:
            await rig.give(sealed(one))
        if fill:
            await rig.store.write(fill)
    with counted_steps() as steps, NodeRig(folder, name=name, clock=ManualClock(BASE + 60)) as rig:
        rig.confirm()
        with rig.store.read() as db:  # so that opening a connection is not counted
            db.execute("SELECT 1 FROM messages")
        before = steps.count
        rows = join_rows([Row(license_hash(held.consent), item) for item in ITEMS])
        found = rig.judge.judge(Check(QUERY, 60, "run", rows))
    return steps.count - before, {REASONS[number] for number in found.reasons}


def strangers(db: Writing, licenses: int, grantees: int) -> None:
    """So many licenses, each passed on by one holder to so many others; the first license is HELD."""
    add_grants(db, (b"%032d" % i for i in range(1, licenses)), MARKET, MANY)
    first = number_of(db, NAME)
    numbers = f"{_NUMBERS}, m (j) AS (VALUES (0) UNION ALL SELECT j + 1 FROM m WHERE j < ?)"
    sizes = licenses - 1, grantees - 1
    number, grantee = "(i + 1) * 1048576 + j", "CAST(printf('%020d', j) AS BLOB)"
    db.execute(
        f"{numbers} INSERT {TERMS} SELECT {number}, CAST(printf('%032d', {number}) AS BLOB), ?, ?,"
        f" {grantee}, 'train-ai', ?, ?, 0 FROM n, m",
        (*sizes, NO_PARENT, MARKET, BASE, LATE),
    )
    db.execute(
        f"{numbers} INSERT {PASSED}"
        f" SELECT CASE i WHEN 0 THEN ? ELSE ? + i END, {grantee}, 1, {number}, 1 FROM n, m",
        (*sizes, first, MANY - 1),
    )


def displaced(db: Writing, count: int) -> None:
    """So many more of one signer to the asker, which do not count."""
    some = [
        SublicenseTerms(b"%032d" % i, NO_PARENT, MARKET, LAB, ("train-ai",), BASE, BASE, 0.0, MANY + i)
        for i in range(count)
    ]
    sublicenses.insert(db, some)
    add_passed(db, NAME, some, counts=0)
    many.insert(db, "INTO displaced (license, digest)", ((NAME, one.digest) for one in some))


@pytest.mark.parametrize(
    ("few", "many"),
    [
        (lambda db: strangers(db, 1, 16), lambda db: strangers(db, 1, MANY)),
        (lambda db: strangers(db, 16, 16), lambda db: strangers(db, 256, 256)),
        (lambda db: displaced(db, 16), lambda db: displaced(db, MANY)),
        pytest.param(
            lambda db: strangers(db, 16, 16),
            lambda db: strangers(db, 1_024, 1_024),
            marks=pytest.mark.long,
        ),
    ],
    ids=[
        "100,000 sublicenses of one license",
        "256 licenses to 256 grantees",
        "100,000 of one signer to the asker",
        "1,024 licenses to 1,024 grantees",
    ],
)
async def test_a_look_costs_no_more(tmp_path: Path, few: Fill, many: Fill) -> None:
    messages: list[Heard] = [HELD, ABOVE, *OWN]
    small, reasons = await cost(tmp_path, "few", HELD, messages, few)
    large, same = await cost(tmp_path, "many", HELD, messages, many)
    assert reasons == same == {Reason.GRANTED}
    assert large <= small + 20  # a level of each index


async def test_a_grantees_own_rows_pay_nothing_for_chains(tmp_path: Path) -> None:
    direct = a_license(grantee=LAB)
    alone = await cost(tmp_path, "alone", direct, [direct])
    beside = await cost(tmp_path, "beside", direct, [direct, HELD, ABOVE, *OWN])
    assert alone == beside == (alone[0], {Reason.GRANTED})


@pytest.mark.parametrize("fill", [strangers, displaced])
async def test_keeping_one_costs_no_more(tmp_path: Path, fill: Callable[..., None]) -> None:
    found = []
    for name, count in (("few", 16), ("many", MANY)):
        numbers = (1, count) if fill is strangers else (count,)
        with NodeRig(tmp_path, name=name, clock=ManualClock(BASE + 50)) as rig:
            await rig.give(sealed(HELD))
            await rig.store.write(lambda db, numbers=numbers: fill(db, *numbers))  # type: ignore[misc]
        with counted_steps() as steps, NodeRig(tmp_path, name=name, clock=ManualClock(BASE + 60)) as rig:
            await rig.give(sealed(a_license(grantee=LAB)))  # the first commit opens what it needs
            before = steps.count
            await rig.give(sealed(OWN[0]))
            found.append(steps.count - before)
    assert found[1] <= found[0] + 50  # a level of each index


def passed_through(db: Writing, names: list[bytes], holders: list[bytes]) -> None:
    """These licenses to the first holder, each passed on from one holder to the next."""
    add_grants(db, names, holders[0], 1)
    parent, span = NO_PARENT, (BASE, LATE, 0.0)
    for depth, (signer, grantee) in enumerate(pairwise(holders), 1):
        digest, number = sha256(signer + grantee), MANY + depth
        purposes = "resale", "train-ai"
        terms = SublicenseTerms(digest, parent, signer, grantee, purposes, *span, number)
        passed_rows.pass_on(db, terms, names, depth)
        parent = digest


async def test_a_license_costs_no_more_through_three_hops_than_through_one(tmp_path: Path) -> None:
    """What is above the asker's sublicense is read once for all licenses, not for each of them."""
    people = [sha256(b"%d" % number)[:20] for number in range(MANY // 100)]
    some = [a_license(contributor=one, parties=(one,)) for one in people]
    names = [license_hash(one.consent) for one in some]
    made = [Message(license_hash(one.consent), CONSENT, one.consent.contributor, b"") for one in some]
    table = LicenseTable.of((license_hash(one.consent), one.consent, one.items) for one in some)
    rows, seen = join_rows([Row(name, ITEMS[0]) for name in names]), list[int]()
    for holders in ([MARKET, LAB], [MARKET, AGENT, RESELLER, LAB]):
        with (
            counted_steps() as steps,
            NodeRig(tmp_path, name=str(len(holders)), clock=ManualClock(BASE + 60)) as rig,
        ):
            await rig.store.write(lambda db: insert_many(db, enumerate(made, 1), BASE))
            await rig.store.write(lambda db, holders=holders: passed_through(db, names, holders))  # type: ignore[misc]
            with rig.store.read() as db:
                known = StoreKnowledge(db, NETWORK, rig.licenses, StoreBits(db))
                before = steps.count
                with mock.patch.object(OpenChains, "loud", side_effect=AssertionError):  # nobody spoke
                    reasons = judge_rows(table, known, rows, QUERY, BASE + 60).reasons
                seen.append(steps.count - before)
                _assert_kept_numbers_save_work(steps, known, table, names)
        assert {*reasons.tolist()} == {Reason.GRANTED.number}
    assert seen[1] < seen[0] + len(some)


def _assert_kept_numbers_save_work(
    steps: Steps, known: StoreKnowledge, table: LicenseTable, names: list[bytes]
) -> None:
    """No license on a shelf is looked up by its hash again, and the chains are those by hash."""
    every, zeros = np.arange(len(names)), np.zeros(len(names))
    shelf = TableCache(table, zeros, np.sort(np.array(names, HASH)), zeros.astype(np.int64))
    counts, expected = list[int](), known.chains(names, LAB)
    for _ in range(2):
        before = steps.count
        assert known.chains_on(shelf, LAB, every) == expected
        counts.append(steps.count - before)
    assert counts[1] < 0.7 * counts[0]
