"""`python -m bench.bare PORT LOOP ANSWER`: aiohttp with one handler.

LOOP is `asyncio` or `uvloop`. ANSWER is `same`, for the same bytes to everybody, or `signed`, to pack
what was asked with the fields of an answer, sign that, and write it all as JSON, for each request. On
standard input comes JSON: the fields of the head that a handler sets, and the text of the body. It
serves until it is stopped.
"""

import asyncio
import json
import sys
from collections.abc import Callable
from typing import Final

import msgspec
import uvloop
from aiohttp import web
from nacl.signing import SigningKey

from sayso_protocol.encoding.packing import pack
from sayso_protocol.primitives import hex_text, sha256

LOOPS: Final[dict[str, Callable[[], asyncio.AbstractEventLoop]]] = {
    "asyncio": asyncio.new_event_loop,
    "uvloop": uvloop.new_event_loop,
}


def main() -> None:
    """Serve."""
    head, text = json.load(sys.stdin)
    body, fields = text.encode(), json.loads(text)
    key = SigningKey(sha256(b"bare"))

    async def same(_request: web.Request) -> web.Response:
        return web.Response(body=body, headers=head)

    async def signed(request: web.Request) -> web.Response:
        packed = pack([request.raw_path, *fields.values()])
        answer = fields | {"signature": hex_text(key.sign(packed).signature)}
        return web.Response(body=msgspec.json.encode(answer), headers=head)

    app = web.Application()
    app.router.add_get("/{path:.*}", {"same": same, "signed": signed}[sys.argv[3]])
    port, loop = int(sys.argv[1]), LOOPS[sys.argv[2]]()
    web.run_app(app, host="127.0.0.1", port=port, access_log=None, print=None, loop=loop)


if __name__ == "__main__":
    main()
