"""`python -m bench.bare PORT LOOP`: aiohttp with one handler that gives the same bytes to everybody.

LOOP is `asyncio` or `uvloop`.

The bytes come on standard input; it serves until it is stopped.
"""

import asyncio
import sys
from collections.abc import Callable
from typing import Final

import uvloop
from aiohttp import web

LOOPS: Final[dict[str, Callable[[], asyncio.AbstractEventLoop]]] = {
    "asyncio": asyncio.new_event_loop,
    "uvloop": uvloop.new_event_loop,
}


def main() -> None:
    """Serve."""
    body = sys.stdin.buffer.read()

    async def answer(_request: web.Request) -> web.Response:
        return web.Response(body=body, content_type="application/json")

    app = web.Application()
    app.router.add_get("/{path:.*}", answer)
    port, loop = int(sys.argv[1]), LOOPS[sys.argv[2]]()
    web.run_app(app, host="127.0.0.1", port=port, access_log=None, print=None, loop=loop)


if __name__ == "__main__":
    main()
