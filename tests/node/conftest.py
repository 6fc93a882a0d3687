"""Nodes whose stores are in a folder of the test and closed when it is over."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sayso_node.store.interface import Store
from sayso_node.store.opening import store_at
from support.node_rig import NodeRig


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[NodeRig]:
    with NodeRig(tmp_path) as rig:
        yield rig


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = store_at(tmp_path / "store.sqlite")
    store.start()
    try:
        yield store
    finally:
        store.stop()
