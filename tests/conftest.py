"""What holds for every test."""

import os
import signal
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from xdist.scheduler import LoadScopeScheduling

HERE = Path(__file__).parent
FIRST = {"system", "docs"}  # wait the longest
LAST = {"hostile"}  # takes all cores, which slows down whole systems beside it

# A shell's background job ignores Ctrl-C, and its children inherit that: a test that presses it could
# not be run by CI. With a handler here, children start with the default.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Where the system has no Node.js, `make` put one here.
os.environ["PATH"] = f"{Path(sys.prefix) / 'nodejs'}{os.pathsep}{os.environ['PATH']}"

# No test asserts a time: the machine may be busy.
settings.register_profile("sayso", deadline=None)
settings.register_profile("few", deadline=None, max_examples=8)  # of what costs much: see `make ci`
settings.load_profile("sayso")


class ByFile(LoadScopeScheduling):  # type: ignore[misc] # it has no types
    """For `pytest -n`: a file stays together, as its fixtures do; whole systems may go anywhere."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.split("::", maxsplit=1)[0]
        return nodeid if _is_of(Path(file), {"system"}) else file


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByFile:
    """Who gives tests to workers. (Groups by mark need a pytest before 9.2.)"""
    return ByFile(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What waits the longest comes first, so that the end does not wait for it."""
    items.sort(key=lambda item: (_is_of(item.path, LAST), not _is_of(item.path, FIRST)))


def _is_of(file: Path, folders: set[str]) -> bool:
    """Whether it is below one of these folders of tests/; relative paths are the repository's."""
    inside = file.relative_to(HERE) if file.is_absolute() else Path(*file.parts[1:])
    return inside.parts[0] in folders
