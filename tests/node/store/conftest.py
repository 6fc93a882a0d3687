"""Every test that asks for a store, a backend or tables runs against each backend.

Against PostgreSQL the everyday suite runs neither properties, a hundred examples each of many
statements, nor what has hundreds of messages. `make ci` runs these, too, with few examples;
`make ci-full` and `make test T=tests/node/store` run all.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import is_hypothesis_test

from node.store.backends import BACKENDS, Backend
from sayso_node.store.interface import Store, Writing
from sayso_node.store.opening import store_at
from support.node_rig import NodeRig

EVERYDAY = ("test_erasure.py",)  # with its property
HEAVY = ("test_trace_vectors.py", "test_sync_index.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        backend = getattr(item, "callspec", None)
        if not backend or backend.params.get("backend") != "postgres" or item.path.name in EVERYDAY:
            continue
        if item.path.name in HEAVY or is_hypothesis_test(item.obj):  # type: ignore[attr-defined]
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
