"""`python -m bench.bare PORT LOOP`: aiohttp with one handler that gives the same bytes to everybody.

LOOP is `asyncio` or `uvloop`. On standard input comes JSON: the fields of the head that a handler sets,
and the text of the body. It serves until it is stopped.
"""

import asyncio
import json
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
    head, text = json.load(sys.stdin)
    body = text.encode()

    async def answer(_request: web.Request) -> web.Response:
        return web.Response(body=body, headers=head)

    app = web.Application()
    app.router.add_get("/{path:.*}", answer)
    port, loop = int(sys.argv[1]), LOOPS[sys.argv[2]]()
    web.run_app(app, host="127.0.0.1", port=port, access_log=None, print=None, loop=loop)


if __name__ == "__main__":
    main()
