"""A damaged row never clears anything: whoever reads it says so, and the node falls silent.

The rows are changed as a bad disk or a person with `sqlite3` would change them, past the store's door.
SQLite itself finds nothing wrong with any of them.
"""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from sayso_node.errors import StoreDamaged, StoreUnusable
from sayso_node.freshness import Silence
from sayso_node.snapshots.building import Order, make
from sayso_node.store.chain import wallets
from sayso_node.verdicts.judge import Check
from sayso_node.verdicts.status_desk import StatusDesk, StatusQuestion
from sayso_protocol.messages.consent import Consent
from sayso_protocol.messages.envelope import Envelope, encode
from sayso_protocol.messages.message import as_kind
from sayso_protocol.receipts.receipt import join_rows
from sayso_protocol.verdicts.query import Query
from sayso_protocol.verdicts.verdict import REASONS, Reason, Row
from support.node_rig import NOW, NodeRig, consent, revocation
from support.protocol_strategies import (
    ADA,
    BEN,
    CLEO,
    NETWORK,
    NODE,
    a_consent,
    full_words,
    item_hashes,
    signed,
)

QUERY = Query(BEN, "train-ai")
NOTHING = "zeroblob(32)"
SPOILS = {
    "masks cleared": f"UPDATE bits SET signed = {NOTHING}, chain = {NOTHING}",
    "rows gone": "DELETE FROM bits",
    "word moved": "UPDATE bits SET word = randomblob(32)",
    "address moved": "UPDATE bits SET address = randomblob(20)",
    "another's mask": "UPDATE bits SET signed = (SELECT max(signed) FROM bits) WHERE 1",
    "sums gone": "DELETE FROM bit_sums",
    "sums emptied": "UPDATE bit_sums SET sums = x''",
    "both, but not alike": f"UPDATE bits SET signed = {NOTHING}; UPDATE bit_sums SET sums = zeroblob(5)",
}
Spoil = Callable[[sqlite3.Connection], object]


def spoil(path: Path, change: str | Spoil) -> None:
    """Change the file past the store."""
    with closing(sqlite3.connect(path)) as db:
        if isinstance(change, str):
            db.executescript(change)
        else:
            change(db)
        db.commit()
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


async def look(rig: NodeRig, held: Envelope) -> Reason:
    parts = (NETWORK, rig.store, rig.freshness, rig.identity, rig.clock, rig.counters, rig.licenses)
    question = StatusQuestion(Row(held.digest, held.items[0]), QUERY, 60)
    return (await StatusDesk(*parts).ask(question)).status.reason


async def check(rig: NodeRig, held: Envelope) -> Reason:
    rows = join_rows([Row(held.digest, held.items[0])])
    return REASONS[rig.judge.judge(Check(QUERY, 60, "run", rows)).reasons[0]]


async def bulk(rig: NodeRig, held: Envelope) -> Reason:
    """With so many people that all are looked up in one statement."""
    others = [consent(100 + at, guardian=at.to_bytes(20)) for at in range(1, 9)]
    with rig.store.read() as db:
        known = db.execute("SELECT count(*) FROM messages").fetchone()[0]
    if known < len(others):
        await rig.give(*others)
        rig.confirm()
    rows = join_rows([Row(one.digest, one.items[0]) for one in (held, *others)])
    return REASONS[rig.judge.judge(Check(QUERY, 60, "run", rows)).reasons[0]]


ANSWERS = {"look": look, "check": check, "bulk": bulk}


def crowd() -> list[Envelope]:
    """So many words of the contributor that no question reads all of them."""
    return [revocation(f"file 0x{one.hex()}") for one in item_hashes(12, 99)]


@pytest.mark.parametrize("crowded", [False, True], ids=["few words", "many words"])
@pytest.mark.parametrize("answer", ANSWERS)
@pytest.mark.parametrize("how", SPOILS)
async def test_damaged_bits_clear_nothing(tmp_path: Path, how: str, answer: str, crowded: bool) -> None:
    mine, other = consent(1), consent(2, contributor=CLEO, parties=(CLEO,))
    with NodeRig(tmp_path) as rig:
        masks = full_words(mine.message)
        await rig.give(mine, other, revocation(contributor=ADA, words=masks))
        await rig.give(*(crowd() if crowded else []))
        rig.confirm()
        assert await ANSWERS[answer](rig, mine) is Reason.REVOKED
    spoil(tmp_path / "rig.sqlite", SPOILS[how])
    with NodeRig(tmp_path) as rig:
        rig.clock.time = NOW + 60
        rig.be_current()
        try:
            reason = await ANSWERS[answer](rig, mine)
        except StoreDamaged:
            assert rig.store.damage.text
            assert rig.freshness.view(rig.clock.now(), 60).silence is Silence.DAMAGE
            assert await look(rig, other) is Reason.STALE
        else:
            assert reason is not Reason.GRANTED


async def test_an_older_row_is_damage(tmp_path: Path) -> None:
    """A lost write: everything in the row is as it once was."""
    mine = consent(1, count=4)
    path = tmp_path / "rig.sqlite"
    masks = full_words(mine.message)
    [word] = masks
    with NodeRig(tmp_path) as rig:
        await rig.give(mine, revocation(contributor=ADA, words={word: 2}))
        with closing(sqlite3.connect(path)) as db:
            older = db.execute("SELECT * FROM bits").fetchall()
        await rig.give(revocation(contributor=ADA, words={word: 1}))
    spoil(path, lambda db: db.executemany("REPLACE INTO bits VALUES (?, ?, ?, ?, ?)", older))
    with NodeRig(tmp_path) as rig:
        rig.confirm()
        with pytest.raises(StoreDamaged):
            await look(rig, mine)


async def test_a_write_does_not_make_damage_good(tmp_path: Path) -> None:
    """A revocation that is added to a damaged word must not give the word a right sum."""
    mine = consent(1, count=4)
    [word] = full_words(mine.message)
    with NodeRig(tmp_path) as rig:
        await rig.give(mine, revocation(contributor=ADA, words={word: 1}))
        spoil(tmp_path / "rig.sqlite", SPOILS["masks cleared"])
        with pytest.raises(StoreDamaged):
            await rig.give(revocation(contributor=ADA, words={word: 2}))
        rig.confirm()
        assert rig.store.damage.text
        with pytest.raises(StoreDamaged):
            await look(rig, mine)


def redated(held: Envelope) -> bytes:
    """The same consent, valid for longer than was signed."""
    message = as_kind(held.message, Consent)
    items = held.items
    longer = a_consent(items, expires_at=message.expires_at + 86_400, purposes=message.purposes)
    return encode(signed(longer, items).sponsored_by(NODE))


MESSAGES = {
    "another's text": lambda db, held: db.execute(
        "UPDATE messages SET body = ? WHERE digest = ?", (redated(held), held.digest)
    ),
    "earlier": lambda db, held: db.execute("UPDATE messages SET arrived_at = 0"),
    "no text": lambda db, held: db.execute("UPDATE messages SET body = x''"),
    "no sum": lambda db, held: db.execute("UPDATE messages SET sum = NULL"),
}


@pytest.mark.parametrize("answer", ANSWERS)
@pytest.mark.parametrize("how", MESSAGES)
async def test_damaged_consents_clear_nothing(tmp_path: Path, how: str, answer: str) -> None:
    mine = consent(1)
    with NodeRig(tmp_path) as rig:
        await rig.give(mine)
        rig.confirm()
        assert await ANSWERS[answer](rig, mine) is Reason.GRANTED
    spoil(tmp_path / "rig.sqlite", lambda db: MESSAGES[how](db, mine))
    with NodeRig(tmp_path) as rig:
        rig.clock.time = NOW + 60
        rig.be_current()
        with pytest.raises(StoreDamaged):
            await ANSWERS[answer](rig, mine)


WALLETS = {
    "refusal gone": "DELETE FROM wallet_consents",
    "refusal turned": "UPDATE wallet_consents SET accepted = 1",
    "asked later": "UPDATE wallet_consents SET accepted = 1, asked_at = asked_at + 1e9",
    "sum gone": "UPDATE wallet_consents SET accepted = 1; DELETE FROM wallet_sums",
    "moved": "UPDATE wallet_consents SET license = randomblob(32)",
}


@pytest.mark.parametrize("answer", ANSWERS)
@pytest.mark.parametrize("how", WALLETS)
async def test_damaged_answers_of_wallets_clear_nothing(tmp_path: Path, how: str, answer: str) -> None:
    mine = consent(1)
    with NodeRig(tmp_path) as rig:
        await rig.give(mine, consent(2))
        await rig.store.write(lambda db: wallets.said(db, ADA, mine.digest, NOW, NOW, accepted=False))
        rig.confirm()
        assert await ANSWERS[answer](rig, mine) is Reason.STALE
    spoil(tmp_path / "rig.sqlite", WALLETS[how])
    with NodeRig(tmp_path) as rig:
        rig.clock.time = NOW + 60
        rig.be_current()
        with pytest.raises(StoreDamaged):
            await ANSWERS[answer](rig, mine)


SNAPSHOTS = SPOILS | {
    "terms gone": "DELETE FROM terms",
    "terms smaller": "UPDATE terms SET permissions = 0",
    "people gone": "DELETE FROM people",
    "state sum": "UPDATE singles SET value = zeroblob(length(value)) WHERE name = 'state-sum'",
}


@pytest.mark.parametrize("how", SNAPSHOTS)
async def test_no_snapshot_of_a_damaged_store(tmp_path: Path, how: str) -> None:
    mine = consent(1)
    with NodeRig(tmp_path) as rig:
        masks = full_words(mine.message)
        await rig.give(mine, consent(2), revocation(contributor=ADA, words=masks))
    order = Order(
        str(tmp_path / "rig.sqlite"),
        str(tmp_path / "body"),
        NETWORK,
        confirmed=NOW + 60,
        heeded=(),
        after=None,
    )
    assert make(order).counts.keys
    spoil(tmp_path / "rig.sqlite", SNAPSHOTS[how])
    if how == "another's mask":
        return  # there is one mask only, so nothing was changed
    with pytest.raises(StoreDamaged):
        make(order)


async def test_damaged_pages_silence_the_node(tmp_path: Path) -> None:
    path = tmp_path / "rig.sqlite"
    mine = consent(1)
    with NodeRig(tmp_path) as rig:
        await rig.give(mine, *(consent(at, count=30) for at in range(2, 40)))
    with path.open("r+b") as file:
        for page in range(2, path.stat().st_size // 4096):
            file.seek(page * 4096)
            file.write(b"\xa5" * 4096)
    with pytest.raises(StoreUnusable), NodeRig(tmp_path) as rig:  # noqa: PT012 - where it is found differs
        rig.be_current()
        try:
            assert await look(rig, mine) is not Reason.GRANTED
        except StoreDamaged:
            assert rig.freshness.view(rig.clock.now(), 60).silence is Silence.DAMAGE
            raise
