"""Requests of a sync round to one peer, with their answers and their cost."""

from collections.abc import Awaitable, Callable, Collection
from functools import partial
from typing import Any

from sayso_node.interfaces import Transport
from sayso_node.supervision.workers import Runner
from sayso_protocol.errors import Malformed
from sayso_protocol.messages.wire import SYNC_PROTOCOL
from sayso_protocol.sync.findings import Finding, Outcome, Walk
from sayso_protocol.sync.requests import Request, encode_request

REQUEST_TIMEOUT_S = 15.0

Bring = Callable[[Finding], Awaitable[Collection[bytes] | None]]


class Talk:
    """The requests of one round to one peer."""

    def __init__(self, transport: Transport, runner: Runner, peer_id: str) -> None:
        self._transport = transport
        self._runner = runner
        self.peer_id = peer_id

    async def ask(self, request: Request) -> bytes:
        """Send one request and return its answer; raises PeerUnreachable."""
        body = encode_request(request)
        return await self._transport.request(self.peer_id, SYNC_PROTOCOL, body, REQUEST_TIMEOUT_S)

    async def walk(self, walk: Walk, bring: Bring) -> Outcome:
        """Send the requests of a walk until it ends, and have brought what it finds.

        The walk reads the store outside the event loop.
        """
        step = await self._runner(partial(_go_on, walk, None))
        while not isinstance(step, Outcome):
            answer = await (bring(step) if isinstance(step, Finding) else self.ask(step))
            step = await self._runner(partial(_go_on, walk, answer))
        return step


def _go_on(walk: Walk, answer: Any) -> Request | Finding | Outcome:
    """Return the end of a walk as a value, because StopIteration cannot leave a thread."""
    try:
        return walk.send(answer)
    except StopIteration as stop:
        outcome: Outcome = stop.value
        return outcome


def check_ascends(last: bytes, after: bytes) -> None:
    """Check that a page continues after the last one, so that pages end; raises Malformed."""
    if last <= after:
        raise Malformed("the consents of a range must be in ascending order")
