"""A store that an older release filled, opened by this one: nothing is lost, and nothing is cleared.

version_18.sql is what `sqlite3 store.sqlite .dump` gave of a node at commit c336a95, after six consents
and two revocations, one of them pending.
"""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from sayso_node.errors import StoreTooNew
from sayso_node.store.integrity.verifying import AuditOrder, verify
from sayso_node.store.opening import snapshot_at, store_at
from sayso_node.store.sqlite import engine
from sayso_node.verdicts.judge import Check
from sayso_protocol.messages.envelope import decode
from sayso_protocol.receipts.receipt import join_rows
from sayso_protocol.verdicts.query import Query
from sayso_protocol.verdicts.verdict import REASONS, Reason, Row
from support.node_rig import NodeRig, consent, revocation
from support.protocol_strategies import BEN, CLEO, NETWORK

OLD = 18
STOPPED = consent(1, count=2)
CONSENTS = [STOPPED, *(consent(number, count=2) for number in range(2, 6)), consent(6, sponsor=None)]


@pytest.fixture
def old(tmp_path: Path) -> Path:
    path = tmp_path / "store.sqlite"
    with closing(sqlite3.connect(path)) as db:
        db.executescript((Path(__file__).parent / f"version_{OLD}.sql").read_text())
        db.execute(f"PRAGMA user_version = {OLD}")
        db.commit()
    return path


async def test_everything_is_there_and_what_was_revoked_stays_so(old: Path) -> None:
    with NodeRig(old.parent, location=str(old)) as rig:
        with rig.store.read() as db:
            bodies = [body for (body,) in db.execute("SELECT body FROM messages ORDER BY seq")]
            [(pending,)] = db.execute("SELECT body FROM pending").fetchall()
        kept = [decode(body, NETWORK) for body in bodies]
        assert [one.digest for one in kept[:6]] == [one.digest for one in CONSENTS]
        assert decode(pending, NETWORK).digest == revocation("everything", contributor=CLEO).digest
        rig.confirm()
        rows = join_rows([Row(one.digest, item) for one in CONSENTS for item in one.items])
        answer = rig.judge.judge(Check(Query(BEN, "train-ai"), 60, "run", rows))
        assert [REASONS[one] for one in answer.reasons] == [Reason.REVOKED] + [Reason.GRANTED] * 10
        await rig.give(consent(7))
    assert verify(AuditOrder(str(old), NETWORK)) == []


def test_the_way_back_is_the_backup(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The older release refuses what this one has migrated, and opens what was copied before."""
    before = old.with_name("before.sqlite")
    before.write_bytes(old.read_bytes())
    store = store_at(old)
    store.start()
    store.stop()
    monkeypatch.setattr(engine, "VERSION", OLD)
    with pytest.raises(StoreTooNew, match=f"knows {OLD} at most"):
        store_at(old).start()
    with snapshot_at(before) as db:
        assert db.execute("SELECT count(*) FROM messages").fetchone() == (7,)
