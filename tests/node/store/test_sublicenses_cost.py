"""How many sublicenses a license has changes neither what a look costs, nor what admission does.

Work is counted in instructions of SQLite, never in time. Rows that others stored are inserted as
admission stores them, because signing a hundred thousand messages takes a minute.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from node.store.test_sublicenses import give
from sayso_node.store.interface import Writing
from sayso_node.store.statements import lookup, sublicenses, waiting
from sayso_node.store.statements.sublicenses import SublicenseTerms
from sayso_node.store.statements.waiting import Name
from sayso_protocol.messages.envelope import Envelope
from sayso_protocol.messages.message import SUBLICENSE, USE
from sayso_protocol.primitives import sha256
from support.holders import LABS, T, sublicense, use
from support.node_rig import NodeRig, consent
from support.passed_rows import add_grants, add_passed, pass_on
from support.protocol_strategies import BEN
from support.sql_steps import counted_steps

SOLD = consent(1, purposes=("resale", "train-ai"))  # to Ben
DAN, EVE, *_ = LABS
LICENSE = SOLD.digest
MANY = 100_000


def terms(number: int, grantee: bytes, signer: bytes = BEN) -> SublicenseTerms:
    digest = sha256(b"sublicense %d" % number)
    parent = bytes(32) if signer == BEN else sha256(signer)
    return SublicenseTerms(
        digest, parent, signer, grantee, ("train-ai",), T, T + 9 + number, 0.0, MANY + number
    )


def one_license_many_times(db: Writing) -> None:
    """To one grantee, by one signer and by many; to many grantees; and as many that wait."""
    for number in range(2_000):
        pass_on(db, terms(2 * MANY + number, DAN), [LICENSE])
        signer = sha256(b"signer %d" % number)[:20]
        pass_on(db, terms(3 * MANY + number, DAN, signer), [LICENSE], 2)
    some = [terms(5 * MANY + n, sha256(b"lab %d" % n)[:20]) for n in range(MANY)]
    sublicenses.insert(db, some)
    add_passed(db, LICENSE, some)
    names = (Name(LICENSE, b"", sha256(b"claim %d" % n)[:20]) for n in range(MANY))
    db.executemany(
        "INSERT INTO waiting_names VALUES (?, ?, ?, ?)",
        ((*one, sha256(one.signer)) for one in names),
    )


def many_by_many(db: Writing) -> None:
    """256 licenses passed on to 256 grantees each."""
    licenses = [LICENSE, *(sha256(b"license %d" % n) for n in range(255))]
    add_grants(db, licenses, BEN, 9 * MANY)
    for number in range(256):
        pass_on(db, terms(4 * MANY + number, sha256(b"lab %d" % number)[:20]), licenses)


Filled = Callable[[Writing], None]


async def costs(folder: Path, *fills: Filled) -> dict[str, int]:
    """The instructions that each look and each admission takes, after some were stored."""
    news: Sequence[tuple[str, Envelope]] = (
        ("a sublicense", sublicense(BEN, DAN, [LICENSE], expires_at=T + 10 * MANY)),
        ("another", sublicense(BEN, EVE, [LICENSE])),
        ("a use", use(BEN, [LICENSE])),
        ("a claim", use(EVE, [sha256(b"nothing"), LICENSE], "claim")),
        ("a consent", consent(7)),
    )
    found: dict[str, int] = {}
    with NodeRig(folder) as rig:
        await rig.store.write(lambda db: give(db, [SOLD]))
        for fill in fills:
            await rig.store.write(fill)
    with counted_steps() as steps, NodeRig(folder) as rig:
        for name, one in news:
            before = steps.count
            await rig.store.write(lambda db, one=one: give(db, [one]))  # type: ignore[misc]
            found[name] = steps.count - before
        looks: dict[str, Callable[[Writing], object]] = {
            "sublicenses_to": lambda db: sublicenses.sublicenses_to(db, LICENSE, DAN),
            "a page": lambda db: lookup.kept(db, LICENSE, SUBLICENSE, bytes(32), 100),
            "a page of claims": lambda db: lookup.waiting(db, LICENSE, USE, bytes(32), 100),
            "completed": lambda db: waiting.completed_by(db, [Name(LICENSE, b"", DAN)]),
        }
        for name, look in looks.items():
            before = steps.count
            with rig.store.read() as db:
                look(db)  # type: ignore[arg-type]
            found[name] = steps.count - before
    return found


@pytest.mark.parametrize("fill", [one_license_many_times, many_by_many])
async def test_no_look_and_no_admission_grows_with_what_is_stored(tmp_path: Path, fill: Filled) -> None:
    def few(db: Writing) -> None:
        """As many as ever count, and more grantees than a page has, so that no answer is longer."""
        for number in range(300):
            pass_on(db, terms(7 * MANY + number, sha256(b"lab %d" % number)[:20]), [LICENSE])
            pass_on(db, terms(number, DAN, sha256(b"s%d" % number)[:20]), [LICENSE])
            pass_on(db, terms(MANY + number, DAN), [LICENSE])
        rows = ((LICENSE, b"", b"x" * 20, sha256(b"%d" % n)) for n in range(lookup.SCANNED))
        db.executemany("INSERT INTO waiting_names VALUES (?, ?, ?, ?)", rows)

    for name in ("small", "large"):
        (tmp_path / name).mkdir()
    small = await costs(tmp_path / "small", few)
    large = await costs(tmp_path / "large", few, fill)
    assert {name: cost for name, cost in large.items() if cost > 1.25 * small[name] + 200} == {}
    assert all(cost < 60_000 for cost in small.values()), small
