"""kill -9 at any instant loses nothing that was acknowledged and leaves nothing half."""

import random
import subprocess
import sys
from pathlib import Path

from node.store.backends import Backend
from sayso_node.store.opening import store_at

WRITER = Path(__file__).with_name("writer.py")
KILLS = 6


def write_until_killed(location: str, first: int, lines: int) -> set[int]:
    """Kill a writer after it acknowledged so many changes; returns all that it acknowledged."""
    command = [sys.executable, str(WRITER), location, str(first)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        said = [process.stdout.readline() for _ in range(lines)]
        process.kill()
        said += process.stdout.readlines()
    # The last line may have been cut off in the middle by the kill.
    return {int(line) for line in said if line.endswith("\n")}


def test_a_killed_writer_keeps_its_word(backend: Backend, location: str) -> None:
    acknowledged = set[int]()
    lines = random.Random(7)
    for run in range(KILLS):
        acknowledged |= write_until_killed(location, run * 1_000_000, lines.randint(1, 120))
        store = store_at(location)
        store.start()  # recovers what the dead writer left
        with store.read() as db:
            kept = {value for (value,) in db.execute("SELECT value FROM numbers")}
            rows = db.execute("SELECT digest, length(body) FROM messages").fetchall()
        store.stop()
        assert acknowledged <= kept
        assert {int.from_bytes(digest) for digest, _ in rows} == kept
        assert {length for _, length in rows} == {6_000}
        backend.check(location)
    assert len(acknowledged) >= KILLS
