"""Child processes run our modules with nothing of the working folder and no secret of the parent."""

import ast
import asyncio
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import sayso
import sayso_contracts
import sayso_node
import sayso_protocol
from node.gossip.harness import Network
from sayso.demo.processes import Child
from sayso_node.supervision import children
from support.running_node import running_node
from support.waiting import until

SECRET = "0123456789abcdef-planted"
# Names that every child imports sooner or later: ours, of the standard library, and Python's own hooks.
PLANTED = ["numpy", "msgpack", "sitecustomize", "usercustomize", "logging", "sayso_node", "trio", "site"]
SECRETS = ["SAYSO_PASSWORD", "SAYSO_RPC", "RPC_URL", "AWS_SECRET_ACCESS_KEY", "PGPASSWORD", "HF_TOKEN"]
STARTERS = {
    "create_subprocess_exec",
    "create_subprocess_shell",
    "subprocess_exec",
    "subprocess_shell",
    "Popen",
    "system",
    "popen",
    "execv",
    "execve",
    "execvp",
    "execvpe",
    "fork",
    "forkpty",
    "posix_spawn",
    "spawnv",
    "subprocess",
    "multiprocessing",
    "ProcessPoolExecutor",
    "open_process",
    "run_process",
    "to_process",
}


@pytest.fixture
def trap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A working folder full of modules that leave a mark if run, and an environment full of secrets."""
    folder, mark = tmp_path / "trap", tmp_path / "mark"
    folder.mkdir()
    for name in PLANTED:
        (folder / f"{name}.py").write_text(f"open({str(mark)!r}, 'a').write({name!r})\n")
    monkeypatch.chdir(folder)
    for name in SECRETS:
        monkeypatch.setenv(name, SECRET)
    for name in ("PYTHONPATH", "PYTHONSTARTUP", "PYTHONHOME"):
        monkeypatch.setenv(name, {"PYTHONPATH": f":{folder}", "PYTHONSTARTUP": "numpy.py"}.get(name, ""))
    yield
    assert not mark.exists(), mark.read_text()


def environment_of(pid: int) -> bytes:
    return Path(f"/proc/{pid}/environ").read_bytes()


async def test_no_file_of_the_working_folder_is_run_and_no_secret_is_inherited(trap: None) -> None:
    child = await children.start_module("json.tool", stdin=asyncio.subprocess.PIPE, stdout=-1)
    assert SECRET.encode() not in environment_of(child.pid)
    output, _ = await child.communicate(json.dumps({"a": 1}).encode())
    assert (child.returncode, json.loads(output)) == (0, {"a": 1})


async def test_the_processes_of_the_demo(trap: None, tmp_path: Path) -> None:
    child = await Child.start("the chain", tmp_path / "log", "sayso.devchain", "--help")
    assert SECRET.encode() not in environment_of(child.pid)
    line = await child.first_line(60)
    assert "usage" in line.lower(), child.last_words()
    await child.kill()


async def test_the_processes_of_a_node(
    trap: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Gossip and snapshots: the environment of each child is read while it lives."""
    seen = dict[str, bytes]()
    start = asyncio.create_subprocess_exec

    async def noted(*command: str, **streams: Any) -> asyncio.subprocess.Process:
        child = await start(*command, **streams)
        seen[command[command.index("-m") + 1]] = environment_of(child.pid)
        return child

    monkeypatch.setattr(children, "create_subprocess_exec", noted)
    network = Network()
    try:
        await network.peer(1)
        async with running_node(tmp_path, disabled=(), snapshot_interval_s=0.2) as node:
            await until(lambda: node.node._snapshots.shelf.chain)
    finally:
        await network.close()
    assert {"sayso_node.gossip.child", "sayso_node.snapshots.building"} <= seen.keys()
    assert not [module for module, environment in seen.items() if SECRET.encode() in environment]


def test_nothing_else_starts_a_process() -> None:
    """Whoever needs a child asks children.py; how to start one is named nowhere else."""
    found = list[str]()
    for package in (sayso, sayso_node, sayso_contracts, sayso_protocol):
        [folder] = package.__path__
        for path in Path(folder).rglob("*.py"):
            for one in ast.walk(ast.parse(path.read_text())):
                names = {getattr(one, "attr", None), getattr(one, "id", None)} - {"subprocess"}
                if isinstance(one, ast.ImportFrom | ast.Import):  # not asyncio.subprocess, for its PIPE
                    names |= {alias.name for alias in one.names} | {getattr(one, "module", None)}
                found += [f"{path}: {name}" for name in names & STARTERS]
    allowed = {"children.py", "targets.py"}  # the latter starts the program of `sayso watch --exec`
    assert [one for one in found if Path(one.split(":")[0]).name not in allowed] == []


def test_what_children_get_is_not_secret() -> None:
    path = os.pathsep.join(["", ".", "lib", str(Path.cwd()), "/opt/sayso"])
    given = children.environment({**dict.fromkeys(SECRETS, SECRET), "PATH": "/bin", "PYTHONPATH": path})
    assert given == {"PATH": "/bin", "PYTHONPATH": "/opt/sayso"}
