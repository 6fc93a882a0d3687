"""`python -m sayso.devchain`: the development chain in its own process.

The process prints one JSON line, {"url", "chain_id"}, when it is ready. It ends on SIGTERM, on SIGINT
and when its standard input closes, so that it never outlives the program that started it.
"""

import argparse
import asyncio
import json
import os
import signal
import sys
import threading

from sayso.devchain import DevChain, run_devchain
from sayso_protocol.errors import SaysoError

STDIN = 0


def _announce(chain: DevChain) -> None:
    sys.stdout.write(json.dumps({"url": chain.url, "chain_id": chain.chain_id}) + "\n")
    sys.stdout.flush()


def _end_with_stdin(loop: asyncio.AbstractEventLoop, end: asyncio.Event) -> None:
    while os.read(STDIN, 4096):
        pass
    loop.call_soon_threadsafe(end.set)


async def _serve(port: int, block_time_s: float) -> None:
    loop, end = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end.set)
    # A thread, because the event loop cannot watch a file or /dev/null.
    threading.Thread(target=_end_with_stdin, args=(loop, end), daemon=True).start()
    chain = asyncio.create_task(run_devchain(port, block_time_s, _announce))
    ended = asyncio.create_task(end.wait())
    await asyncio.wait({chain, ended}, return_when=asyncio.FIRST_COMPLETED)
    ended.cancel()
    if not chain.done():
        chain.cancel()
        await asyncio.wait({chain})
    if not chain.cancelled():
        chain.result()


def main() -> None:
    """Run until a signal or the end of standard input; exit status 1 if the chain cannot start."""
    parser = argparse.ArgumentParser(prog="python -m sayso.devchain", description=__doc__)
    parser.add_argument(
        "--port", type=int, default=8545, help="TCP port on loopback; 0 chooses a free port"
    )
    parser.add_argument("--block-time", type=float, default=1.0, help="seconds between empty blocks")
    options = parser.parse_args()
    try:
        asyncio.run(_serve(options.port, options.block_time))
    except SaysoError as error:
        sys.exit(f"{error.code}: {error}")


if __name__ == "__main__":
    main()
