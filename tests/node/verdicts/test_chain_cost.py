"""What a look costs does not grow with what holders pass on: counted in steps of the database."""

from collections.abc import Callable
from pathlib import Path

import pytest

from sayso_node.store.interface import Writing
from sayso_node.verdicts.judge import Check
from sayso_protocol.receipts.receipt import join_rows
from sayso_protocol.verdicts.query import Query
from sayso_protocol.verdicts.verdict import REASONS, License, Reason, Row
from support.known import Heard, license_hash, message_hash
from support.node_rig import ManualClock, NodeRig
from support.passing import BASE, ITEMS, LAB, LATE, MARKET, RESELLER, a_license, pass_on, sealed
from support.sql_steps import counted_steps

Fill = Callable[[Writing], None]
MANY = 100_000
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
    db.execute(
        f"{_NUMBERS}, m (j) AS (VALUES (0) UNION ALL SELECT j + 1 FROM m WHERE j < ?)"
        " INSERT INTO passed_on (license, grantee, depth, expires_at, digest, signer, counts)"
        " SELECT CASE i WHEN 0 THEN ? ELSE CAST(printf('%032d', i) AS BLOB) END,"
        " CAST(printf('%020d', j) AS BLOB), 1, ?,"
        " CAST(printf('%032d', i * 1048576 + j) AS BLOB), ?, 1 FROM n, m",
        (licenses - 1, grantees - 1, NAME, LATE, MARKET),
    )


def displaced(db: Writing, count: int) -> None:
    """So many more of one signer to the asker, which do not count."""
    db.execute(
        f"{_NUMBERS} INSERT INTO passed_on"
        " (license, grantee, depth, expires_at, digest, signer, counts)"
        " SELECT ?, ?, 1, ?, CAST(printf('%032d', i) AS BLOB), ?, 0 FROM n",
        (count - 1, NAME, LAB, BASE, MARKET),
    )


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
