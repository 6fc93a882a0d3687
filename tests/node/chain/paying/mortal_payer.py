"""A node's paying side in a process that kills itself at a chosen moment: see test_killed_payer.py.

Arguments: folder, URL, registry, how many moments to live (0: to the end).
"""

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Any

from node.chain.anvil_world import PayingNode
from sayso_node.errors import ChainUnreachable
from sayso_node.store import queues
from sayso_node.store.chain import intents
from sayso_protocol.network import Network
from sayso_protocol.primitives import address_from_text
from support.anvil import CHAIN_ID


class Fate:
    """Counts moments and ends the process at one of them."""

    def __init__(self, moments: int) -> None:
        self._left = moments

    def passes(self) -> None:
        self._left -= 1
        if not self._left:
            os.kill(os.getpid(), signal.SIGKILL)

    def around(self, thing: Any, name: str) -> None:
        """A moment before and one after each call."""
        method = getattr(thing, name)

        async def call(*arguments: Any, **options: Any) -> Any:
            self.passes()
            result = await method(*arguments, **options)
            self.passes()
            return result

        setattr(thing, name, call)


async def main(folder: Path, url: str, registry: str, moments: int) -> None:
    fate = Fate(moments)
    network = Network(CHAIN_ID, address_from_text(registry))
    async with PayingNode(folder, [url], network) as paying:
        fate.around(paying.account, "sign")
        fate.around(paying.account, "send")
        fate.around(paying.rig.store, "write")
        for _ in range(60):
            try:
                await paying.follower.read()
                await paying.payer.step()
            except ChainUnreachable as error:
                sys.stderr.write(f"{error}\n")
            await paying.endpoints.in_use.link.ask("anvil_mine", [])
            with paying.rig.store.read() as db:
                waits = db.execute("SELECT 1 FROM anchor_queue LIMIT 1").fetchone()
                if not waits and not intents.open_intents(db) and not queues.lengths(db)["relays"]:
                    sys.stdout.write("done\n")
                    return


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4])))
