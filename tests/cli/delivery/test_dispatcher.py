"""Each event is delivered at least once, in order; what is refused is laid aside; nothing is lost."""

import base64
import errno
import json
import os
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sayso.delivery import dispatcher, signing, targets
from sayso.delivery.dispatcher import Dispatcher, parcel_of
from sayso.delivery.errors import (
    BadSecret,
    BadTarget,
    OtherWatch,
    PrivateTarget,
    TargetRefused,
    TargetUnreachable,
)
from sayso.delivery.journal import LETTERS, STATE, Journal
from sayso.delivery.targets import Parcel, Program
from sayso.errors import OutputFailed
from sayso.node_client.following import Event, Gap, Reached
from sayso_protocol.errors import SaysoError
from support.waiting import until

WATCHED = {"node": ["http://north"], "holder": ["0x1"]}


def event(number: int) -> Event:
    data = {"contributor": "0x1", "digest": None, "time": 1_750_000_000.5}
    return Event(f"store-{number}", "revocation", bytes(20), None, 7, 1, data)


class Box:
    """A target that answers as it is told, by the number of the attempt, and then takes everything."""

    def __init__(self, *answers: SaysoError | None) -> None:
        self._answers = list(answers)
        self.taken: list[str] = []

    async def deliver(self, one: Parcel) -> None:
        error = self._answers.pop(0) if self._answers else None
        if error:
            raise error
        self.taken.append(one.name)

    async def close(self) -> None:
        """There is nothing to close."""


async def run(folder: Path, box: Box, *found: Event | Gap | Reached) -> list[str]:
    """Deliver these; returns the codes of failed attempts."""
    codes: list[str] = []

    async def stream() -> AsyncIterator[Event | Gap | Reached]:
        for one in found:
            yield one

    def told(error: SaysoError, _name: str) -> None:
        codes.append(error.code)

    with Journal(folder, WATCHED) as journal:
        await Dispatcher(journal, box, "http://north", told, pause=0.0).run(stream())
    return codes


def place(folder: Path) -> str | None:
    with Journal(folder, WATCHED) as journal:
        return journal.place


async def test_what_cannot_be_reached_is_tried_until_it_can(tmp_path: Path) -> None:
    trouble = [TargetUnreachable("no"), PrivateTarget("moved")] * dispatcher.REFUSALS
    box = Box(*trouble)
    codes = await run(tmp_path, box, event(1), event(2))
    assert box.taken == ["store-1", "store-2"]
    assert codes == ["target-unreachable", "private-target"] * dispatcher.REFUSALS
    assert place(tmp_path) == "store-2"
    assert not (tmp_path / LETTERS).exists()


async def test_what_is_refused_is_laid_aside_and_holds_nothing_up(tmp_path: Path) -> None:
    (tmp_path / LETTERS).write_bytes(b'{"id": "store-0", "co')  # of a process that was killed
    box = Box(*[TargetRefused("422")] * dispatcher.REFUSALS)
    codes = await run(tmp_path, box, event(1), event(2))
    assert box.taken == ["store-2"]
    assert codes == ["target-refused"] * dispatcher.REFUSALS
    [_, line] = (tmp_path / LETTERS).read_bytes().splitlines()
    letter = json.loads(line)
    assert (letter["id"], letter["code"]) == ("store-1", "target-refused")
    assert letter["body"] == json.loads(parcel_of(event(1), "http://north").body)


@pytest.mark.parametrize("time", [1e300, -1e300, 10**30, 253_402_300_800, True, "now", None])
async def test_an_event_whose_time_is_none_is_delivered_without_it(tmp_path: Path, time: Any) -> None:
    """A node may write anything there; nothing of it stops the events after it."""
    data = dict(event(1).data) | {"time": time}
    box = Box()
    await run(tmp_path, box, replace(event(1), data=data), event(2))
    assert box.taken == ["store-1", "store-2"]
    assert "timestamp" not in json.loads(parcel_of(replace(event(1), data=data), "http://north").body)


async def test_a_start_is_no_gap_and_a_gap_is_delivered(tmp_path: Path) -> None:
    box = Box()
    await run(tmp_path, box, Gap("store-5"))
    assert (box.taken, place(tmp_path)) == ([], "store-5")
    await run(tmp_path, box, Reached("store-9"))
    assert (box.taken, place(tmp_path)) == ([], "store-9")
    await run(tmp_path, box, Gap("other-2"), event(3))
    assert box.taken == ["gap-other-2", "store-3"]


@pytest.mark.parametrize("letter", [True, False])
async def test_a_full_disk_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, letter: bool
) -> None:
    await run(tmp_path, Box(), event(1))

    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    box = Box(*[TargetRefused("422")] * dispatcher.REFUSALS * letter)
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(OutputFailed, match="No space left") as failed:
            await run(tmp_path, box, event(2))
    assert failed.value.code == "output-failed"
    assert place(tmp_path) == "store-1"
    again = Box()
    await run(tmp_path, again, event(2))
    assert (again.taken, place(tmp_path)) == (["store-2"], "store-2")


async def test_a_folder_belongs_to_one_watch_and_one_process(tmp_path: Path) -> None:
    await run(tmp_path, Box(), event(1))
    with Journal(tmp_path, WATCHED), pytest.raises(OtherWatch, match="another process"):
        place(tmp_path)
    with pytest.raises(OtherWatch, match="something else"), Journal(tmp_path, {"node": []}):
        pass
    (tmp_path / STATE).write_text("{}")
    with pytest.raises(OtherWatch, match="not the state"):
        place(tmp_path)


def test_the_signature_is_that_of_the_published_example() -> None:
    secret = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    name, body = "msg_p5jXN8AQM9LWM0D4loKWxJek", b'{"test": 2432232314}'
    signed = signing.signature(secret, name, 1_614_265_330, body)
    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_secret_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    made = signing.secret_at(path)
    assert len(made) == signing.NEW_BYTES
    assert signing.secret_at(path) == made
    assert path.stat().st_mode & 0o777 == 0o600
    path.chmod(0o644)
    with pytest.raises(BadSecret, match="others can read"):
        signing.secret_at(path)
    path.chmod(0o600)
    for text in ("", "whsec_", "whsec_" + "A" * 8, "whsec_" + "A" * 400, "whsec_" + "!" * 44):
        path.write_text(text)
        with pytest.raises(BadSecret) as refused:
            signing.secret_at(path)
        assert text not in str(refused.value) or len(text) < 10


def _is_running(pid: str) -> bool:
    """Whether a process runs; one that has ended may wait for somebody to ask how."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def _program(code: str, *arguments: object) -> Program:
    words = [sys.executable, "-c", code, *map(str, arguments)]
    return Program(" ".join(f"'{one}'" for one in words))


async def test_a_program_gets_the_event_and_says_whether_it_took_it(tmp_path: Path) -> None:
    code = (
        "import os, sys; open(sys.argv[1], `w`).write(os.environ[`SAYSO_EVENT_ID`] + sys.stdin.read())"
    )
    one = parcel_of(event(4), "http://north")
    await _program(code.replace("`", '"'), tmp_path / "out").deliver(one)
    assert (tmp_path / "out").read_bytes() == b"store-4" + one.body
    for refusing in ("import sys; sys.exit(3)", "import os; os.kill(os.getpid(), 9)"):
        with pytest.raises(TargetRefused, match="ended with"):
            await _program(refusing).deliver(one)


async def test_a_program_gets_none_of_our_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SAYSO_PASSWORD", "secret")
    monkeypatch.setenv("SHOP_DATABASE", "theirs")
    code = "import os, sys; open(sys.argv[1], `w`).write(` `.join(os.environ))".replace("`", '"')
    await _program(code, tmp_path / "out").deliver(parcel_of(event(4), "http://north"))
    names = (tmp_path / "out").read_text().split()
    assert {one for one in names if one.startswith("SAYSO_")} == {"SAYSO_EVENT_ID", "SAYSO_EVENT_TYPE"}
    assert "SHOP_DATABASE" in names


async def test_a_program_that_does_not_end_is_ended_with_all_that_it_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(targets, "TIMEOUT_S", 0.5)
    code = (
        "import os, sys, time; pid = os.fork();"
        " pid and open(sys.argv[1], `w`).write(f`{os.getpid()} {pid}`); time.sleep(600)"
    )
    with pytest.raises(TargetRefused, match="did not end"):
        await _program(code.replace("`", '"'), tmp_path / "pid").deliver(parcel_of(event(1), ""))
    both = (tmp_path / "pid").read_text().split()
    assert len(both) == 2
    await until(lambda: not any(map(_is_running, both)))


@pytest.mark.parametrize("command", ["", "no-such-program", "'"])
def test_what_is_no_program(command: str) -> None:
    with pytest.raises(BadTarget):
        Program(command)
