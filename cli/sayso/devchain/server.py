"""JSON-RPC over HTTP on loopback, with a block at least every `block_time_s` seconds.

py-evm is CPU-bound and not thread-safe. All work on the chain therefore runs on one worker thread, in
order, and the event loop stays free to accept requests.
"""

import asyncio
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING, Final, Self

from aiohttp import web
from eth_account.signers.local import LocalAccount

from sayso.devchain.accounts import dev_account
from sayso.devchain.framing import answer
from sayso.errors import PortUnavailable
from sayso.extras import extra
from sayso_protocol.redaction import reason_of

if TYPE_CHECKING:
    from sayso.devchain.chain import Chain
    from sayso.devchain.methods import Methods

LOOPBACK = "127.0.0.1"
MAX_BODY = 5 * 1024 * 1024  # bytes of a request
STACK = 64 * 1024 * 1024  # bytes; py-evm raises Python's recursion limit to 100,000
SHUTDOWN_S = 1.0  # for open requests
ACCOUNTS = 10  # with money


class DevChain:
    """DevChain runs an Ethereum chain during its `async with` block."""

    def __init__(
        self,
        *,
        port: int = 0,
        block_time_s: float = 1.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.chain_id: Final = 31337
        self.accounts: list[LocalAccount] = [dev_account(index) for index in range(ACCOUNTS)]
        self._port = port
        self._block_time_s = block_time_s
        self._clock = clock
        self._worker: ThreadPoolExecutor
        self._chain: Chain
        self._methods: Methods
        self._runner: web.AppRunner
        self._ticker: asyncio.Task[None]

    @property
    def url(self) -> str:
        """Return the URL of the JSON-RPC endpoint."""
        return f"http://{LOOPBACK}:{self._port}"

    async def __aenter__(self) -> Self:
        self._worker = _one_deep_thread()
        try:
            await self._start()
        except BaseException:
            self._worker.shutdown()
            raise
        self._ticker = asyncio.create_task(self._tick())
        return self

    async def _start(self) -> None:
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._worker, self._make_chain)
        app = web.Application(client_max_size=MAX_BODY)
        app.router.add_post("/", self._handle)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=SHUTDOWN_S)
        await self._runner.setup()
        try:
            await self._listen()
        except BaseException:
            await self._runner.cleanup()
            raise

    async def __aexit__(self, *error: object) -> None:
        self._ticker.cancel()
        await self._runner.cleanup()
        self._worker.shutdown()
        with suppress(asyncio.CancelledError):
            await self._ticker

    async def serve(self) -> None:
        """Wait for ever; raises the error that ended mining."""
        await asyncio.shield(self._ticker)

    def _make_chain(self) -> None:
        with extra("demo"):
            from sayso.devchain.chain import Chain  # noqa: PLC0415
            from sayso.devchain.methods import Methods  # noqa: PLC0415
        funded = [account.address for account in self.accounts]
        self._chain = Chain(self.chain_id, funded, self._clock)
        self._methods = Methods(self._chain)

    async def _listen(self) -> None:
        site = web.TCPSite(self._runner, LOOPBACK, self._port)
        try:
            await site.start()
        except OSError as error:
            raise PortUnavailable(f"cannot listen on {self.url}: {reason_of(error)}") from error
        self._port = self._runner.addresses[0][1]

    async def _tick(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(self._block_time_s)
            await loop.run_in_executor(self._worker, self._chain.mine)

    async def _handle(self, request: web.Request) -> web.Response:
        body = await request.read()
        loop = asyncio.get_running_loop()
        reply = await loop.run_in_executor(self._worker, answer, self._methods.rpc, body)
        if reply is None:
            return web.Response(status=204)
        return web.Response(body=reply, content_type="application/json")


def _one_deep_thread() -> ThreadPoolExecutor:
    previous = threading.stack_size(STACK)
    try:
        worker = ThreadPoolExecutor(1, thread_name_prefix="devchain")
        worker.submit(int)  # starts the thread
    finally:
        threading.stack_size(previous)
    return worker


async def run_devchain(port: int, block_time_s: float, ready: Callable[[DevChain], None]) -> None:
    """Serve a chain on `port` (0: any) until SIGINT, SIGTERM or a cancellation.

    Calls `ready` when the chain answers.
    """
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task  # noqa: S101 - a coroutine runs in a task

    def end() -> None:
        if not task.cancelling():  # a second signal does not disturb the end
            task.cancel()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, end)
    with suppress(asyncio.CancelledError):
        async with DevChain(port=port, block_time_s=block_time_s) as chain:
            ready(chain)
            await chain.serve()
