"""Every test that asks for a store, a backend or tables runs against each backend.

Against PostgreSQL the everyday suite runs what its engine does by itself; the properties of all queries
take minutes there, and are for `make ci-full` and `make test T=tests/node/store`.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from node.store.backends import BACKENDS, Backend
from sayso_node.store.interface import Store, Writing
from sayso_node.store.opening import store_at
from support.node_rig import NodeRig

EVERYDAY = ("test_store.py", "test_killed.py", "test_erasure.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        backend = getattr(item, "callspec", None)
        if backend and backend.params.get("backend") == "postgres" and item.path.name not in EVERYDAY:
            item.add_marker("long")


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
