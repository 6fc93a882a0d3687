"""HTTP requests to one node, bounded in time and size, without redirects.

Proxies from the environment are not used, because a check reveals a buyer's training data.
"""

from collections.abc import AsyncIterator, Container
from typing import Any, Final, Self, TypeVar

import aiohttp
import msgspec

from sayso.errors import BadAnswer, NodeUnreachable
from sayso.node_client.parsing import refusal
from sayso.node_client.reading import answer_of
from sayso_node.api.schema.values import RefusalJson
from sayso_protocol.encoding.json_text import parse_json
from sayso_protocol.errors import Malformed
from sayso_protocol.redaction import reason_of, redacted, shown_url

CONNECT_S: Final = 10.0
ANSWER_S: Final = 30.0
CHECK_S: Final = 600.0  # a million rows take a while
MSGPACK_TYPE: Final = "application/msgpack"
OK: Final = 200
PARTIAL: Final = 206
USUAL: Final = frozenset({200, 202, 422})
NODE_ANSWER_BYTES: Final = 256 * 1024 * 1024
ANSWER_JSON_BYTES: Final = 16 * 1024 * 1024  # as values it takes up to thirty times as much memory
STREAM: Final = aiohttp.ClientTimeout(sock_connect=CONNECT_S, sock_read=ANSWER_S)
T = TypeVar("T")


class Transport:
    """Transport sends HTTP requests to one node."""

    def __init__(self, url: str, *, get_s: float = ANSWER_S) -> None:
        if not url.startswith(("http://", "https://")):
            raise NodeUnreachable("the address of a node begins with http:// or https://")
        self.url = url.rstrip("/")
        self._get_timeout = aiohttp.ClientTimeout(total=get_s, sock_connect=CONNECT_S)
        self._post_timeout = aiohttp.ClientTimeout(total=CHECK_S, sock_connect=CONNECT_S)
        self._session: aiohttp.ClientSession

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._session.close()

    async def get(self, path: str, kind: type[T]) -> T:
        """Send GET; raises NodeUnreachable, BadAnswer and the node's refusal."""
        return await self._ask("GET", path, kind, timeout=self._get_timeout)

    async def get_whatever(self, path: str, kind: type[T]) -> T:
        """Send GET, and read the same form of answer from every status; raises as `get`."""
        return await self._ask("GET", path, kind, timeout=self._get_timeout, statuses=range(600))

    async def post(self, path: str, kind: type[T], data: bytes) -> T:
        """Send POST with msgpack, for an answer in JSON or msgpack; raises as `get`."""
        headers = {"Content-Type": MSGPACK_TYPE}
        return await self._ask(
            "POST", path, kind, timeout=self._post_timeout, data=data, headers=headers
        )

    async def stream(self, path: str, start: int = 0) -> AsyncIterator[bytes]:
        """Yield the bytes of a file from `start` on, as they arrive; raises as `get`."""
        headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={start}-"} if start else {})
        try:
            async with self._session.get(
                self.url + path, headers=headers, allow_redirects=False, timeout=STREAM
            ) as response:
                if response.status not in {OK, PARTIAL}:
                    _judge(response.status, await read_body(response))
                    raise BadAnswer(f"the node answered {response.status} to a file")
                skipped = start if response.status == OK else 0  # the server ignored the range
                async for chunk in response.content.iter_any():
                    rest, skipped = chunk[skipped:], max(0, skipped - len(chunk))
                    if rest:
                        yield rest
        except (aiohttp.ClientError, TimeoutError, ConnectionError) as error:
            raise self._unreachable(error) from None

    def _unreachable(self, error: Exception) -> NodeUnreachable:
        why = redacted(reason_of(error), self.url)
        return NodeUnreachable(f"no answer from {shown_url(self.url)}: {why}")

    async def _ask(
        self, method: str, path: str, kind: type[T], statuses: Container[int] = USUAL, **options: Any
    ) -> T:
        try:
            async with self._session.request(
                method, self.url + path, allow_redirects=False, **options
            ) as response:
                text = await read_body(response)
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            raise self._unreachable(error) from None
        packed = response.status == OK and response.content_type == MSGPACK_TYPE
        return (
            _unpack(text, kind) if packed else answer_of(_judge(response.status, text, statuses), kind)
        )


async def read_body(response: aiohttp.ClientResponse, most: int = NODE_ANSWER_BYTES) -> bytes:
    """Return all of a body, in however many pieces it comes; raises BadAnswer if it is longer."""
    parts, size = [], 0
    async for part in response.content.iter_any():
        size += len(part)
        if size > most:
            raise BadAnswer("the answer is too long")
        parts.append(part)
    return b"".join(parts)


def _unpack(data: bytes, kind: type[T]) -> T:
    """Decode an answer in msgpack, up to the first byte that does not fit; raises BadAnswer."""
    try:
        return msgspec.msgpack.decode(data, type=kind)
    except (ValueError, RecursionError) as error:
        raise BadAnswer(f"the node's answer in msgpack: {error}") from error


def _judge(status: int, text: bytes, statuses: Container[int] = USUAL) -> Any:
    """Return a JSON answer of one of these statuses, or raise the refusal or BadAnswer."""
    try:
        answer = parse_json(text, most=ANSWER_JSON_BYTES)
    except Malformed as error:
        raise BadAnswer(f"the node answered {status} with something that is not JSON") from error
    if isinstance(answer, dict) and "error" in answer:
        raise refusal(answer_of(answer, RefusalJson).error)
    if status not in statuses:
        raise BadAnswer(f"the node answered {status} without a reason")
    return answer
