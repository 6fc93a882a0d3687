"""`python failing.py TRIGGER PART ARGUMENT...`: a node with a part that fails once TRIGGER exists.

The arguments are those of `sayso`, or a node's folder alone as for `python -m sayso_node`. The pauses
between starts are short; everything else is as in any node.
"""

import asyncio
import sys
from pathlib import Path
from typing import Any
from unittest import mock

from sayso.main import main as sayso
from sayso_node.__main__ import main as sayso_node
from sayso_node.store.sqlite.engine import Engine
from sayso_node.supervision import supervisor
from sayso_node.sync.loop import SyncLoop

POLL_S = 0.02


def main(trigger: str, part: str, *arguments: str) -> Any:
    """Break it and run it."""
    is_broken = Path(trigger).exists

    async def run(_loop: SyncLoop) -> None:
        while not is_broken():  # noqa: ASYNC110 - a file wakes nobody
            await asyncio.sleep(POLL_S)
        raise RuntimeError("what only the log may say")

    commit = Engine._commit

    def commit_or_die(store: Engine, *group: Any) -> None:
        if is_broken():
            raise SystemExit("what only the log may say")
        commit(store, *group)

    broken = {"sync": (SyncLoop, "run", run), "store": (Engine, "_commit", commit_or_die)}
    mock.patch.object(*broken[part]).start()
    mock.patch.object(supervisor, "PAUSE_MIN_S", 0.01).start()
    mock.patch.object(supervisor, "PAUSE_MAX_S", 0.01).start()
    if len(arguments) == 1:
        return sayso_node(list(arguments))
    sys.argv[1:] = arguments
    return sayso()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
