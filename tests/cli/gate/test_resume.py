"""A check that was killed goes on: what was judged is not judged again, and the result is the same."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cli.conftest import QUERY
from cli.gate.conftest import DAY_S, Buyer
from sayso.errors import OutputFailed, OutputIsInput
from sayso.gate.resuming import judging
from sayso.gate.running import GateFiles
from sayso_protocol.errors import SaysoError

FILES = ("--out", "kept", "--rejected", "why.jsonl", "--receipt", "receipt.json")
PROGRESS = ("--resume", "progress")
RUN = ("--run-id", "one run")


@pytest.fixture
def shards(buyer: Buyer) -> Buyer:
    """A shard for each row, of which the second is revoked."""
    buyer.revoke()
    for at, row in enumerate(buyer.rows):
        buyer.parquet(f"n/{at}.parquet", [row])
    return buyer


def answers(record: Any) -> list[Any]:
    return [part["answers"] for part in record["parts"]]


def same(some: Any, other: Any) -> bool:
    """Whether two records say the same, beside when each node signed."""

    def without(record: Any) -> Any:
        text = {**record, "time": 0, "until": 0, "sources": [], "parts": []}
        parts = [{**one, "answers": [it["reasons"] for it in one["answers"]]} for one in record["parts"]]
        counts = [{**one, "time": 0, "counts": one["counts"]} for one in record["sources"]]
        return text | {"parts": parts, "sources": counts}

    return bool(without(some) == without(other))


def outputs(folder: Path) -> dict[str, bytes]:
    kept = {one.name: one.read_bytes() for one in (folder / "kept").iterdir()}
    return kept | {"why": (folder / "why.jsonl").read_bytes()}


def start(buyer: Buyer, *more: str) -> subprocess.Popen[bytes]:
    options = [*QUERY, *FILES, *PROGRESS, *more]
    return subprocess.Popen(
        [sys.executable, "-m", "sayso", "check", "n", *options],
        cwd=buyer.folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def killed_at(buyer: Buyer, number: int, *more: str) -> None:
    """Kill a check with SIGKILL when it asks about this shard, counted from 0."""
    asked = len(buyer.node.checks)
    child: list[subprocess.Popen[bytes]] = []

    def twist(route: str, answer: Any) -> Any:
        if route == "check" and len(buyer.node.checks) - asked == number + 1:
            os.kill(child[0].pid, signal.SIGKILL)
        return answer

    buyer.node.twist = twist
    child.append(start(buyer, *more))
    told = child[0].communicate()
    assert child[0].returncode == -signal.SIGKILL, told
    buyer.node.twist = lambda _, answer: answer


def goes_on(buyer: Buyer, number: int) -> None:
    buyer.check("n", *FILES, *RUN, status=3)
    whole, record = outputs(buyer.folder), json.loads(Path("receipt.json").read_bytes())
    for path in (buyer.folder / "kept").iterdir():
        path.unlink()
    (buyer.folder / "kept").rmdir()
    killed_at(buyer, number)
    assert not {"kept", "why.jsonl", "receipt.json"} & buyer.world.left()
    asked = len(buyer.node.checks)
    told = buyer.check("n", *FILES, *PROGRESS, status=3)
    assert len(buyer.node.checks) - asked == len(buyer.rows) - number
    assert (f"{number} of 4 parts" in told.stderr) == bool(number)
    assert outputs(buyer.folder) == whole
    mine = json.loads(Path("receipt.json").read_bytes())
    assert same(mine | {"run_id": "one run"}, record)
    buyer.world.run("receipt", "verify", "receipt.json", "--manifest", "n", "--rejected", "why.jsonl")
    assert "progress" not in buyer.world.left()


def test_a_killed_check_goes_on(shards: Buyer) -> None:
    goes_on(shards, 2)


@pytest.mark.long
@pytest.mark.parametrize("number", [0, 1, 2, 3])
def test_a_check_that_is_killed_at_any_shard_goes_on(shards: Buyer, number: int) -> None:
    goes_on(shards, number)


def broken_off(buyer: Buyer, **options: Any) -> int:
    """A check whose node is gone before the last shard; the number of shards that it judged."""
    asked, seen = len(buyer.node.checks), 0

    def twist(route: str, answer: Any) -> Any:
        return answer if route != "check" or len(buyer.node.checks) - asked < 4 else "gone"

    buyer.node.twist = twist
    with pytest.raises(SaysoError), buyer.gate(**options) as gate:
        gate.check("n", GateFiles(kept=Path("kept")), resume="progress")
    seen = len(buyer.node.checks) - asked - 1
    buyer.node.twist = lambda _, answer: answer
    return seen


def judged(buyer: Buyer, **options: Any) -> int:
    """How many shards a check judges that goes on."""
    asked = len(buyer.node.checks)
    with buyer.gate(**options) as gate:
        record = gate.check("n", GateFiles(kept=Path("kept")), resume="progress")
    assert record.counts == {"granted": record.rows - 1, "revoked": 1}
    return len(buyer.node.checks) - asked


def test_a_check_that_failed_goes_on(shards: Buyer) -> None:
    assert broken_off(shards) == 3
    assert judged(shards) == 1
    assert not Path("progress").exists()


Change = Callable[[Buyer], dict[str, Any]]


def other_row(buyer: Buyer) -> dict[str, Any]:
    buyer.parquet("n/0.parquet", [buyer.rows[2]])
    return {}


def more_rows(buyer: Buyer) -> dict[str, Any]:
    buyer.parquet("n/0.parquet", [buyer.rows[0], buyer.rows[0]])
    return {}


def twice(buyer: Buyer) -> dict[str, Any]:
    """An answer counts once, or its receipt would be in the record twice."""
    buyer.parquet("n/00.parquet", [buyer.rows[0]])
    return {}


def damaged(at: int) -> Change:
    def change(_: Buyer) -> dict[str, Any]:
        data = bytearray(Path("progress").read_bytes())
        data[at] ^= 1
        Path("progress").write_bytes(data)
        return {}

    return change


def cut(_: Buyer) -> dict[str, Any]:
    Path("progress").write_bytes(Path("progress").read_bytes()[:-1])
    return {}


def other_key(_: Buyer) -> dict[str, Any]:
    (Path(os.environ["XDG_STATE_HOME"]) / "sayso" / "index.key").unlink()
    return {}


AGAIN: dict[str, tuple[Change, int]] = {
    "a shard has another row": (other_row, 2),
    "a shard has more rows": (more_rows, 2),
    "a shard is there twice": (twice, 2),
    "another age of views": (lambda _: {"max_age_s": 59}, 4),
    "another list of disputes": (lambda _: {"heed": []}, 4),
    "another end of the run": (lambda _: {"run_until": 1}, 4),
    "another name of the run": (lambda _: {"run_id": "another"}, 4),
    "the header was changed": (damaged(30), 4),
    "the last part was changed": (damaged(-1), 2),
    "the last part was cut": (cut, 2),
    "somebody else made it": (other_key, 4),
}


@pytest.mark.parametrize("name", AGAIN)
def test_what_may_differ_is_judged_again(shards: Buyer, name: str) -> None:
    assert broken_off(shards) == 3
    change, count = AGAIN[name]
    options = change(shards)
    asked = len(shards.node.checks)
    with shards.gate(**options) as gate:
        record = gate.check("n", GateFiles(kept=Path("kept")), resume="progress")
    assert len(shards.node.checks) - asked == count
    assert record.counts["revoked"] == 1
    receipts = {json.dumps(one) for part in answers(record.to_json()) for one in part}
    assert len(receipts) == len(record.parts)


def test_an_answer_that_is_too_old_is_not_used_again(
    shards: Buyer, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert broken_off(shards) == 3
    monkeypatch.setattr(judging, "RESUME_S", -1)
    assert judged(shards) == 4


def test_an_answer_that_may_not_be_relied_on_is_not_used_again(
    shards: Buyer, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert broken_off(shards) == 3
    check = judging.ResumedJudge._checked

    def later(self: judging.ResumedJudge, *given: Any) -> Any:
        clock, self._clock = self._clock, lambda: 10**10
        found = check(self, *given)
        self._clock = clock
        return found

    monkeypatch.setattr(judging.ResumedJudge, "_checked", later)
    assert judged(shards) == 3  # the revoked row stays revoked


def test_an_offline_check_goes_on(shards: Buyer, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the same snapshot only."""
    options: dict[str, Any] = {"offline": [shards.snapshot()], "bundle": shards.bundle()}
    calls: list[int] = []
    judge = judging.ResumedJudge.judge

    def count(self: Any, rows: bytes) -> Any:
        if len(calls) == 3:
            raise KeyboardInterrupt
        calls.append(1)
        return judge(self, rows)

    def broken() -> None:
        calls.clear()
        monkeypatch.setattr(judging.ResumedJudge, "judge", count)
        with pytest.raises(KeyboardInterrupt), shards.gate(**options) as gate:
            gate.check("n", resume="progress")
        monkeypatch.setattr(judging.ResumedJudge, "judge", judge)

    broken()
    with shards.gate(**options) as gate:
        record = gate.check("n", resume="progress")
    assert record.notes == ["3 of 4 parts were judged before, and not again"]
    assert record.counts == {"granted": 3, "revoked": 1}
    broken()
    shards.snapshot(lasts_s=2 * DAY_S)
    with shards.gate(**options) as gate:
        record = gate.check("n", resume="progress")
    (note,) = record.notes
    assert "of other sources" in note


def test_what_is_no_progress(shards: Buyer) -> None:
    """Nobody's file is overwritten, and no check uses the progress of another that runs."""
    with shards.gate() as gate:
        shards.world.write("mine.txt", b"my own text")
        with pytest.raises(OutputFailed, match="is not the progress file"):
            gate.check("n", resume="mine.txt")
        assert Path("mine.txt").read_bytes() == b"my own text"
        os.mkfifo("pipe")
        Path("link").symlink_to("mine.txt")
        for name in ("pipe", "link", "n"):
            with pytest.raises((OutputFailed, OutputIsInput)):
                gate.check("n", resume=name)
        with pytest.raises(OutputIsInput):
            gate.check("n", resume="n/progress")
        with pytest.raises(OutputIsInput):
            gate.check("n", GateFiles(receipt=Path("r.json")), resume="r.json")

        def twist(route: str, answer: Any) -> Any:
            with pytest.raises(OutputFailed, match="in use"), shards.gate() as other:
                other.check("n", resume="progress")
            return answer

        shards.node.twist = twist
        gate.check("n", resume="progress")
