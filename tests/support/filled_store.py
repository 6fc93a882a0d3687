"""A store that is filled in one change, for tests and figures that need a large one."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from sayso_node.store.interface import Writing
from sayso_node.store.opening import store_at


def change_store(location: str | Path, change: Callable[[Writing], None]) -> None:
    """Open a store or make it, change it and close it; not within an event loop."""
    store = store_at(location)
    store.start()
    try:
        asyncio.run(store.write(change))
    finally:
        store.stop()
