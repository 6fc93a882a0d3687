"""What holds for every test."""

import gc
import os
import signal
import sys
from collections.abc import Generator
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from xdist.scheduler import LoadScopeScheduling

from sayso.demo import ports
from sayso_contracts.start.collector import collector_off
from support.tries import load_profile

HERE = Path(__file__).parent
# What comes first: the folders whose groups take the longest, so that the end does not wait for them.
FIRST = ("browser", "simulation", "docs", "system", "interop", "bench", "node/gossip")
# What comes last: the first takes all cores, which slows down whole systems beside it.
LAST = ("hostile", "protocol")
# Where each test has a system or a world of its own, and may go anywhere.
ALONE = ("system", "simulation/test_seeds.py", "simulation/test_bugs.py")
TOGETHER = "browser"  # one world serves the folder
WORKERS = 8  # at most, for whom there are ports of their own

# A shell's background job ignores Ctrl-C, and its children inherit that: a test that presses it could
# not be run by CI. With a handler here, children start with the default.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Where the system has no Node.js, `make` put one here.
os.environ["PATH"] = f"{Path(sys.prefix) / 'nodejs'}{os.pathsep}{os.environ['PATH']}"

# Workers look for free ports in parts of their own: between the look and the use, another might take it.
WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
mock.patch.object(ports, "RANGE", ports.RANGE[WORKER % WORKERS :: WORKERS]).start()

load_profile()


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """What is imported and collected is no garbage; to look through it again and again takes long."""
    with collector_off():
        found = yield
    gc.freeze()
    return found


class ByFile(LoadScopeScheduling):  # type: ignore[misc] # it has no types
    """For `pytest -n`: a file stays together, as its fixtures do, but for whole systems and worlds."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.split("::", maxsplit=1)[0]
        path = Path(file)
        if any(_is_of(path, place) for place in ALONE):
            return nodeid
        return TOGETHER if _is_of(path, TOGETHER) else file


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByFile:
    """Who gives tests to workers. (Groups by mark need a pytest before 9.2.)"""
    return ByFile(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes the longest comes first, so that the end does not wait for it."""
    places = {path: _place(path) for path in {item.path for item in items}}
    items.sort(key=lambda item: places[item.path])


def _place(file: Path) -> int:
    """When the tests of a file come; those of one place stay in their order."""
    order = (*FIRST, "", *LAST)
    others = len(FIRST)
    return next((at for at, folder in enumerate(order) if folder and _is_of(file, folder)), others)


def _is_of(file: Path, folder: str) -> bool:
    """Whether it is below this folder of tests/; relative paths are the repository's."""
    inside = file.relative_to(HERE) if file.is_absolute() else Path(*file.parts[1:])
    return inside.is_relative_to(folder)
