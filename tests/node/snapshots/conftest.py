"""Where the bodies of snapshots are built."""

import pytest

from sayso_node.snapshots import publishing
from support.published import built_here


@pytest.fixture
def real_process() -> None:
    """The test is about the process that builds, too."""


@pytest.fixture(autouse=True)
def building(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Build in the process of the tests, but where they ask for a real one."""
    if "real_process" not in request.fixturenames:
        monkeypatch.setattr(publishing, "answer_of", built_here)
