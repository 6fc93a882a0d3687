"""`python -m marketplace`: the shop, with a chain and a node of its own unless one is named.

cd examples && python -m marketplace --folder /tmp/shop
"""

import argparse
import asyncio
import signal
from contextlib import AsyncExitStack
from pathlib import Path

from aiohttp import web
from sqlalchemy import create_engine

from marketplace.app import Shop
from marketplace.world import world
from sayso import Marketplace, load_network, new_account
from sayso.contributor.keystore import account_from_hex


def options() -> argparse.Namespace:
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(prog="python -m marketplace", description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path("shop"), help="where everything is kept")
    parser.add_argument("--port", type=int, default=8700)
    parser.add_argument("--node", help="URL of a running node; then --network is needed, too")
    parser.add_argument("--network", type=Path, help="the network file")
    parser.add_argument("--via", default="", help="the shop's domain")
    return parser.parse_args()


async def main(chosen: argparse.Namespace) -> None:
    """Run until SIGINT or SIGTERM."""
    folder, stop = chosen.folder, asyncio.Event()
    folder.mkdir(parents=True, exist_ok=True)
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with AsyncExitStack() as stack:
        if chosen.node:
            trusted, node = load_network(chosen.network), chosen.node
        else:
            trusted, node = await stack.enter_async_context(world(folder))
        key = folder / "shop.key"
        if not key.exists():
            key.touch(0o600)
            key.write_text(new_account().key.hex())
        account, origin = account_from_hex(key.read_text()), f"http://127.0.0.1:{chosen.port}"
        more = {"nodes": [node], "via": chosen.via, "origins": [origin]}
        market = Marketplace(account, network=trusted, **more)
        shop = Shop(
            market, create_engine(f"sqlite:///{folder / 'shop.db'}"), folder / "files", origin, node
        )
        runner = web.AppRunner(shop.app(), access_log=None)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", chosen.port).start()
        print(f"shop: {origin}/  its own page: {origin}/shop/{shop.admin}  node: {node}", flush=True)
        await stop.wait()


if __name__ == "__main__":
    asyncio.run(main(options()))
