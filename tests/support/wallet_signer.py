"""An external signer (JSON-RPC over HTTP) for a wallet of a test, as `--signer` asks it.

with serving_signer(Signer(address, sign, chain_id=1)) as url: ...
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from support.waiting import POLL_S

TypedData = dict[str, Any]


class NotYet(Exception):
    """What a wallet says while it waits for other owners."""


@dataclass
class Signer:
    """One account; `sign` gets typed data and returns the text of a signature, or raises NotYet.

    Attributes:
        code: What eth_getCode answers; None if the signer does not know the method.
        asked: The typed data that it was asked to sign.
        after: What follows each answer, such as spaces.
    """

    address: str
    sign: Callable[[TypedData], Any]
    chain_id: int
    code: str | None = "0x60016000"
    asked: list[TypedData] = field(default_factory=list)
    after: bytes = b""

    def answer(self, method: str, params: list[Any]) -> dict[str, Any]:
        if method == "eth_accounts":
            return {"result": [self.address]}
        if method == "eth_chainId":
            return {"result": hex(self.chain_id)}
        if method == "eth_getCode" and self.code is not None:
            return {"result": self.code}
        if method != "eth_signTypedData_v4":
            return {"error": {"code": -32_601, "message": "the method does not exist"}}
        assert params[0] == self.address
        self.asked.append(params[1])
        try:
            return {"result": self.sign(params[1])}
        except NotYet as error:
            return {"error": {"code": 4_001, "message": str(error)}}


@contextmanager
def serving_signer(signer: Signer) -> Iterator[str]:
    """Serve it on a free port of this machine; yields its URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            answer = {"jsonrpc": "2.0", "id": asked["id"]} | signer.answer(
                asked["method"], asked["params"]
            )
            body = json.dumps(answer).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body) + len(signer.after)))
            self.end_headers()
            self.wfile.write(body)
            self.wfile.flush()
            self.wfile.write(signer.after)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, args=(POLL_S,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
