"""A store that an older release filled, opened by this one: nothing is lost, and nothing is cleared.

version_18.sql is what `sqlite3 store.sqlite .dump` gave of a node at commit c336a95, after six consents
and two revocations, one of them pending.
"""

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from docs.markdown import ROOT
from node.config.test_folder import make
from sayso_node.errors import StoreTooNew, StoreTooOld
from sayso_node.folder.backup import back_up, restore
from sayso_node.store.integrity.verifying import AuditOrder, verify
from sayso_node.store.opening import copy_store, location_in, snapshot_at, store_at
from sayso_node.store.sqlite import engine
from sayso_node.verdicts.judge import Check
from sayso_protocol.messages.envelope import decode
from sayso_protocol.receipts.receipt import join_rows
from sayso_protocol.verdicts.query import Query
from sayso_protocol.verdicts.verdict import REASONS, Reason, Row
from support.machine import lacks
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
    with snapshot_at(before, old=True) as db:
        assert db.execute("SELECT count(*) FROM messages").fetchone() == (7,)


def test_the_older_release_restores_its_own_backup_and_refuses_the_newer(
    old: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the guide says: back up, update, and go back by restoring what was backed up before."""
    folder = old.parent / "node"
    make(folder)
    old.rename(folder / "store.sqlite")
    before, after = old.with_name("before.backup"), old.with_name("after.backup")
    back_up(folder, before)
    with pytest.raises(StoreTooOld), snapshot_at(location_in(folder)):
        pytest.fail("it is not read before it is migrated")
    store = store_at(location_in(folder))
    store.start()
    store.stop()
    back_up(folder, after)
    monkeypatch.setattr(engine, "VERSION", OLD)
    monkeypatch.setattr(engine, "STEPS", {})
    with pytest.raises(StoreTooNew):
        restore(after, old.parent / "again")
    assert not (old.parent / "again").exists()
    restore(before, old.parent / "again")
    with snapshot_at(location_in(old.parent / "again")) as db:
        assert db.execute("SELECT count(*) FROM messages").fetchone() == (7,)


OLDER = "c336a95"
OPENS = """
import sys
from pathlib import Path
from sayso_node.store.sqlite.engine import Engine
store = Engine(Path(sys.argv[1]))
store.start()
with store.read() as db:
    print(db.execute("SELECT count(*) FROM messages").fetchone()[0])
store.stop()
"""


@pytest.mark.long
def test_the_release_that_wrote_it_opens_what_was_backed_up_and_nothing_newer(old: Path) -> None:
    """By the code of that commit: what the two tests above say by numbers of versions."""
    sources = old.parent / "sources"
    sources.mkdir()
    kept = subprocess.run(
        ["git", "archive", OLDER, "node", "protocol", "contracts"],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    if kept.returncode:
        lacks(f"commit {OLDER} (git fetch --unshallow)")
    subprocess.run(["tar", "-x"], cwd=sources, input=kept.stdout, check=True)

    def opened(path: Path) -> "subprocess.CompletedProcess[str]":
        where = os.pathsep.join(str(sources / one) for one in ("node", "protocol", "contracts"))
        return subprocess.run(
            [sys.executable, "-c", OPENS, str(path)],
            env=os.environ | {"PYTHONPATH": where},
            capture_output=True,
            text=True,
            check=False,
        )

    before = old.with_name("before.sqlite")
    copy_store(old, before)
    assert opened(old).stdout == "7\n"
    store = store_at(old)
    store.start()
    store.stop()
    refused = opened(old)
    assert "StoreTooNew" in refused.stderr, refused.stderr
    assert f"knows {OLD} at most" in refused.stderr
    assert opened(before).stdout == "7\n"
