"""`python -m hostile URL ADDRESS CHAIN_ID REGISTRY`: attack a node until killed.

HTTP attacks run side by side in one loop; those over libp2p come one after the other. It writes a line
when the first attack has begun.
"""

import asyncio
import contextlib
import sys
from itertools import cycle

from hostile.attacks import ATTACKS, Stranger, again_and_again
from node.gossip import hostile, hostile_layers
from sayso_protocol.network import Network

PEER_ATTACKS = {
    **{attack.__name__: attack for attack, _ in hostile.PACKETS + hostile.STREAMS},
    **hostile_layers.REQUESTS,
}


async def _over_libp2p(address: str) -> None:
    for attack in cycle(PEER_ATTACKS.values()):
        async with hostile.attacking(address, attack):
            pass


async def _over_tcp(address: str) -> None:
    port = int(address.split("/")[4])
    for parts in cycle(hostile_layers.BYTES.values()):
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=("127.0.2.1", 0))
            try:
                for part in parts:
                    writer.write(part)
                    await writer.drain()
            finally:
                writer.close()
        await asyncio.sleep(0.05)


async def _attack(url: str, address: str, network: Network) -> None:
    sys.stdout.write("begun\n")
    sys.stdout.flush()
    strangers = (
        again_and_again(attack, Stranger(url, network, number))
        for number, attack in enumerate(ATTACKS, 1)
    )
    await asyncio.gather(*strangers, _over_libp2p(address), _over_tcp(address))


if __name__ == "__main__":
    url, address, chain_id, registry = sys.argv[1:]
    asyncio.run(_attack(url, address, Network(int(chain_id), bytes.fromhex(registry))))
