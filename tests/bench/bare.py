"""`python -m bench.bare PORT`: aiohttp with one handler that gives the same bytes to everybody.

The bytes come on standard input; it serves until it is stopped.
"""

import sys

from aiohttp import web


def main() -> None:
    """Serve."""
    body = sys.stdin.buffer.read()

    async def answer(_request: web.Request) -> web.Response:
        return web.Response(body=body, content_type="application/json")

    app = web.Application()
    app.router.add_get("/{path:.*}", answer)
    web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), access_log=None, print=None)


if __name__ == "__main__":
    main()
