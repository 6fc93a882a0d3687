"""A place for a store of several processes."""

import pytest

from node.store.backends import server


@pytest.fixture
def place() -> str:
    return server().schema()
