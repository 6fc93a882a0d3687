"""Every test that asks for a store, a backend or tables runs against each backend."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from node.store.backends import BACKENDS, Backend
from sayso_node.store.interface import Store, Writing
from sayso_node.store.opening import store_at
from support.node_rig import NodeRig


@pytest.fixture(scope="session", params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> Backend:
    return BACKENDS[request.param]


@pytest.fixture(scope="session")
def tables(backend: Backend) -> Callable[[], Writing]:
    """Makes empty tables, for what is only functions over a handle."""
    return backend.tables


@pytest.fixture
def location(backend: Backend, tmp_path: Path) -> str:
    return backend.location(tmp_path)


@pytest.fixture
def rig(location: str, tmp_path: Path) -> Iterator[NodeRig]:
    with NodeRig(tmp_path, location=location) as rig:
        yield rig


@pytest.fixture
def store(location: str) -> Iterator[Store]:
    store = store_at(location)
    store.start()
    try:
        yield store
    finally:
        store.stop()
