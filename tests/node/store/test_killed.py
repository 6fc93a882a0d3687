"""kill -9 at any instant loses nothing that was acknowledged and leaves nothing half."""

import random
import sqlite3
import subprocess
import sys
from pathlib import Path

from sayso_node.store.sqlite.engine import Engine

WRITER = Path(__file__).with_name("writer.py")
KILLS = 6


def write_until_killed(path: Path, first: int, lines: int) -> set[int]:
    """Kill a writer after it acknowledged so many changes; returns all that it acknowledged."""
    command = [sys.executable, str(WRITER), str(path), str(first)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        said = [process.stdout.readline() for _ in range(lines)]
        process.kill()
        said += process.stdout.readlines()
    # The last line may have been cut off in the middle by the kill.
    return {int(line) for line in said if line.endswith("\n")}


def test_a_killed_writer_keeps_its_word(tmp_path: Path) -> None:
    path, acknowledged = tmp_path / "store.sqlite", set[int]()
    lines = random.Random(7)
    for run in range(KILLS):
        acknowledged |= write_until_killed(path, run * 1_000_000, lines.randint(1, 120))
        store = Engine(path)
        store.start()  # recovers what the dead writer left
        with store.read() as db:
            kept = {value for (value,) in db.execute("SELECT value FROM numbers")}
            rows = db.execute("SELECT digest, length(body) FROM messages").fetchall()
            whole = db.execute("PRAGMA integrity_check").fetchall()
        store.stop()
        assert acknowledged <= kept
        assert {int.from_bytes(digest) for digest, _ in rows} == kept
        assert {length for _, length in rows} == {6_000}
        assert whole == [("ok",)]
    assert len(acknowledged) >= KILLS


def test_a_store_killed_while_it_is_made_can_be_made_again(tmp_path: Path) -> None:
    """As after a kill between the creation of the file and the commit of the tables."""
    path = tmp_path / "store.sqlite"
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("BEGIN")
    db.execute("CREATE TABLE messages (x)")
    db.close()
    store = Engine(path)
    store.start()
    with store.read() as reading:
        assert reading.execute("SELECT count(*) FROM messages").fetchone() == (0,)
    store.stop()
