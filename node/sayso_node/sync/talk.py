"""Requests of a sync round to one peer, with their answers and their cost."""

from collections.abc import Generator
from dataclasses import dataclass
from functools import partial
from typing import Generic, TypeVar

from sayso_node.interfaces import Transport
from sayso_node.workers import Runner
from sayso_protocol.errors import Malformed
from sayso_protocol.messages.wire import SYNC_PROTOCOL
from sayso_protocol.sync.requests import Request, encode_request

REQUEST_TIMEOUT_S = 15.0

T = TypeVar("T")
Walk = Generator[Request, bytes, T]


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

    async def walk(self, walk: Walk[T]) -> T:
        """Send the requests of a walk until it ends; the walk reads the store outside the event loop."""
        outcome = await self._runner(partial(_go_on, walk, None))
        while not isinstance(outcome, _End):
            answer = await self.ask(outcome)
            outcome = await self._runner(partial(_go_on, walk, answer))
        return outcome.value


@dataclass(frozen=True)
class _End(Generic[T]):
    value: T


def _go_on(walk: Walk[T], answer: bytes | None) -> Request | _End[T]:
    """Return the end of a walk as a value, because StopIteration cannot leave a thread."""
    try:
        return next(walk) if answer is None else walk.send(answer)
    except StopIteration as stop:
        return _End(stop.value)


def check_ascends(last: bytes, after: bytes) -> None:
    """Check that a page continues after the last one, so that pages end; raises Malformed."""
    if last <= after:
        raise Malformed("the consents of a range must be in ascending order")
