"""Sends JSON-RPC requests to one chain endpoint, over HTTP or WebSocket, with size and time limits.

Any failure of the endpoint on this level is ChainUnreachable. Callers judge the content of answers. The
URL may hold a key: nothing that leaves this module, no error nor its cause, shows more than its host.
"""

import asyncio
import contextlib
import json
import time
from functools import partial
from http import HTTPStatus
from itertools import count
from typing import Any, Final, cast

from aiohttp import (
    ClientError,
    ClientResponse,
    ClientSession,
    ClientTimeout,
    ClientWebSocketResponse,
    TraceConfig,
    WSMessage,
    WSMsgType,
)

from sayso_node.chain.rpc.pace import TEXT_CHARS, Pace, is_about_pace
from sayso_node.errors import ChainUnreachable, TooManyRequests
from sayso_node.supervision.workers import at_once, in_thread
from sayso_protocol.encoding.json_text import parse_json
from sayso_protocol.errors import TooLarge
from sayso_protocol.primitives import hex_text
from sayso_protocol.redaction import reason_of, redacted, secrets_of, shown_url

TIMEOUT_S: Final = 10.0
PATIENCES: Final = 3  # timeouts that a request waits for its turn, when the endpoint slows us down
NO_METHOD: Final = frozenset({404, 405, 501})  # some endpoints report it by HTTP status
PARSED_AT_ONCE_BYTES: Final = 65_536
RPC_ANSWER_BYTES: Final = 33_554_432  # logs of a wide range, receipts of a full block


class JsonRpc:
    """A connection to one endpoint, made at the first request and again after a failure."""

    def __init__(self, url: str, timeout_s: float = TIMEOUT_S) -> None:
        self._url = url
        self._secrets = [one.encode() for one in secrets_of(url)]
        self._timeout_s = timeout_s
        self._session: ClientSession | None = None
        self._socket: ClientWebSocketResponse | None = None
        self._numbers = count(1)
        self._pace = Pace(asyncio.sleep, time.monotonic)
        self._failure = ""  # the last one, for those who ask while the endpoint rests
        self.takes_numbers_only = False  # for blocks, no hashes (EIP-1898); found out by asking
        self.connections = 0  # made so far: another machine may answer on each of them
        self._is_closed = False
        self._turn = asyncio.Lock()  # of the socket: one request at a time

    @property
    def name(self) -> str:
        """The endpoint's name for logs."""
        return shown_url(self._url)

    async def close(self) -> None:
        """Close the connections, and make no other."""
        self._is_closed = True
        if self._socket:
            await self._socket.close()
        if self._session:
            await self._session.close()
        self._socket = self._session = None

    async def ask(self, method: str, params: Any, limit: int = RPC_ANSWER_BYTES) -> dict[str, Any]:
        """Return the JSON-RPC answer, with a result or an error; raises ChainUnreachable.

        Bytes in `params` are sent as hexadecimal text.
        """
        if self._pace.rest_s:
            raise ChainUnreachable(f"{self.name}: {self._failure}")
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCES * self._timeout_s):
                while True:
                    await self._pace.wait()
                    with contextlib.suppress(TooManyRequests):
                        answer = await self._ask_once(method, params, limit)
                        self._pace.went_well()
                        return answer
        raise TooManyRequests(f"{self.name} refuses requests at this pace")

    async def _ask_once(self, method: str, params: Any, limit: int) -> dict[str, Any]:
        number, begun = next(self._numbers), self._pace.now
        question = {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
        try:
            async with asyncio.timeout(self._timeout_s):
                if self._url.startswith(("ws://", "wss://")):
                    answer = await self._by_socket(question, number, limit)
                else:
                    answer = await self._object(await self._by_post(question, limit))
            self._check_answer(answer, number)
        except TooManyRequests:
            raise
        except Exception as error:  # noqa: BLE001 - any error that an endpoint causes, also in aiohttp
            reason = redacted(reason_of(error), self._url)[:200]
            if not isinstance(error, TooLarge):  # which is about one answer, not about the endpoint
                self._failure = reason
                self._pace.failed(begun)
        else:
            return answer
        # Outside the block above, so that no traceback has the error with the URL as its context.
        raise ChainUnreachable(f"{self.name}: {reason}")

    def _check_answer(self, answer: dict[str, Any], number: int) -> None:
        """Raise TooManyRequests for an error that asks for a slower pace, even with status 200.

        Raises ValueError for an answer with neither a result nor an error, as gateways give them, and
        for one to another question, as a proxy that mixes them up gives it.
        """
        is_none = "result" not in answer and answer.get("error") is None
        error = answer if is_none else answer.get("error")
        found = {"message": error} if isinstance(error, str) else error
        if isinstance(found, dict) and is_about_pace(found):
            self._pace.slow_down(None)
            raise TooManyRequests(f"{self.name}: {str(found.get('message'))[:200]}")
        if is_none:
            raise ValueError("neither a result nor an error")
        if answer.get("id") is not None and not _is_of(answer, number):  # errors may have none
            raise ValueError("the answer to another question")

    async def _by_post(self, question: Any, limit: int) -> bytes:
        async with self._sessions().post(self._url, json=question, allow_redirects=False) as response:
            if response.status == HTTPStatus.TOO_MANY_REQUESTS:
                self._pace.slow_down(response.headers.get("Retry-After"))
                raise TooManyRequests(f"{self.name}: status 429")
            body = bytearray()
            async for part in response.content.iter_any():
                body += part
                if len(body) > limit:
                    raise TooLarge("the answer is too large")
            if response.status in NO_METHOD:
                return b'{"error": {"message": "no such method"}}'
            is_ok = response.status < HTTPStatus.MULTIPLE_CHOICES
            if not is_ok and _is_about_pace(response, bytes(body)):  # also by 402, 403, 503
                self._pace.slow_down(response.headers.get("Retry-After"))
                raise TooManyRequests(f"{self.name}: status {response.status}")
            is_error = response.status >= HTTPStatus.BAD_REQUEST and body.lstrip().startswith(b"{")
            if not is_ok and not is_error:
                raise ValueError(f"status {response.status}")
        return bytes(body)

    async def _by_socket(self, question: Any, number: int, limit: int) -> dict[str, Any]:
        async with self._turn:
            try:
                if self._socket is None or self._socket.closed:
                    self._socket = await self._sessions().ws_connect(self._url, max_msg_size=limit)
                await self._socket.send_json(question, dumps=_json)
                while True:
                    answer = await self._object(_text(await self._socket.receive()))
                    if _is_of(answer, number):  # other answers belong to abandoned requests
                        return answer
            except BaseException:
                await self._hang_up()
                raise

    async def _hang_up(self) -> None:
        """Close the socket, so that the rest of an answer is not taken for the next one."""
        socket, self._socket = self._socket, None
        if socket:
            with contextlib.suppress(ClientError, OSError):
                await socket.close()

    async def _object(self, raw: bytes | str) -> dict[str, Any]:
        raw = raw.encode() if isinstance(raw, str) else raw
        # A long answer takes longer to parse than to hand to a thread.
        run = at_once if len(raw) <= PARSED_AT_ONCE_BYTES else in_thread
        answer = await run(partial(parse_json, raw, most=RPC_ANSWER_BYTES))
        if not isinstance(answer, dict):
            raise ValueError("not a JSON-RPC object")  # noqa: TRY004 - the value is wrong, not its type
        if answer.get("error") is not None or any(secret in raw for secret in self._secrets):
            return cast("dict[str, Any]", self._cleaned(answer))  # some quote the URL or its key
        return answer

    def _cleaned(self, value: Any) -> Any:
        if isinstance(value, str):
            return redacted(value, self._url)
        if isinstance(value, list):
            return [self._cleaned(one) for one in value]
        if isinstance(value, dict):
            return {redacted(name, self._url): self._cleaned(one) for name, one in value.items()}
        return value

    def _sessions(self) -> ClientSession:
        if self._is_closed:
            raise ChainUnreachable("closed")
        if self._session is None:
            timeout = ClientTimeout(total=self._timeout_s)
            trace = TraceConfig()
            trace.on_connection_create_end.append(self._connected)
            self._session = ClientSession(timeout=timeout, json_serialize=_json, trace_configs=[trace])
        return self._session

    async def _connected(self, *_: object) -> None:
        self.connections += 1


def _is_of(answer: dict[str, Any], number: int) -> bool:
    """Return whether an answer has the id of a question, which some endpoints write as text."""
    return answer.get("id") in (number, str(number)) and not isinstance(answer["id"], bool)


def _is_about_pace(response: ClientResponse, body: bytes) -> bool:
    """Return whether a refusal by status says when to ask again, or speaks of too many requests."""
    text = body[:TEXT_CHARS].decode(errors="replace")
    return "Retry-After" in response.headers or is_about_pace({"message": text})


def _json(question: Any) -> str:
    """Encode a request; raises TypeError for values that are neither JSON, bytes nor mappings."""
    return json.dumps(question, default=_plain)


def _plain(value: Any) -> Any:
    """Convert bytes and mappings in web3's requests to JSON values."""
    return hex_text(value) if isinstance(value, bytes) else dict(value)


def _text(message: WSMessage) -> bytes | str:
    if message.type not in {WSMsgType.TEXT, WSMsgType.BINARY}:
        raise ValueError("hung up")
    text: bytes | str = message.data
    return text
