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
    # A thread, because the event loop cannot watch a file or /dev/null.
    threading.Thread(target=_end_with_stdin, daemon=True).start()


def _end_with_stdin() -> None:
    while os.read(STDIN, 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def main() -> None:
    """Run until a signal or the end of standard input; exit status 1 if the chain cannot start."""
    parser = argparse.ArgumentParser(prog="python -m sayso.devchain", description=__doc__)
    parser.add_argument(
        "--port", type=int, default=8545, help="TCP port on loopback; 0 chooses a free port"
    )
    parser.add_argument("--block-time", type=float, default=1.0, help="seconds between empty blocks")
    options = parser.parse_args()
    try:
        asyncio.run(run_devchain(options.port, options.block_time, _announce))
    except SaysoError as error:
        sys.exit(f"{error.code}: {error}")


if __name__ == "__main__":
    main()
