"""Gets JSON from other operators' nodes over HTTP, with limits on size and time."""

import asyncio
from typing import Any

from aiohttp import ClientError, ClientSession, ClientTimeout

from sayso_node.errors import PeerUnreachable
from sayso_protocol.encoding.json_text import parse_json
from sayso_protocol.errors import Malformed
from sayso_protocol.redaction import redacted, shown_url

TIMEOUT_S = 10.0
DOCUMENT_BYTES = 4_194_304


class HttpJson:
    """JsonFetcher (fetcher.py) over HTTP."""

    def __init__(self) -> None:
        self._session: ClientSession | None = None
        self._is_closed = False

    async def close(self) -> None:
        """Close the connections, and make no other."""
        self._is_closed = True
        if self._session:
            await self._session.close()

    async def get(self, url: str) -> Any:
        """Return the document at a URL; raises PeerUnreachable."""
        if self._is_closed:
            raise PeerUnreachable(f"{shown_url(url)} is not asked: this node stops")
        if self._session is None:
            self._session = ClientSession(timeout=ClientTimeout(total=TIMEOUT_S))
        try:
            async with self._session.get(url, allow_redirects=False) as response:
                if response.status != 200:
                    raise PeerUnreachable(f"{shown_url(url)} answered with status {response.status}")
                body = await response.content.read(DOCUMENT_BYTES + 1)
                while len(body) <= DOCUMENT_BYTES and not response.content.at_eof():
                    body += await response.content.read(DOCUMENT_BYTES + 1 - len(body))
        except (ClientError, TimeoutError, OSError, ValueError) as error:
            raise PeerUnreachable(
                f"{shown_url(url)} did not answer: {redacted(str(error), url)}"
            ) from None
        if len(body) > DOCUMENT_BYTES:
            raise PeerUnreachable(f"the answer of {shown_url(url)} is too large")
        try:
            return await asyncio.to_thread(parse_json, body, most=DOCUMENT_BYTES)
        except Malformed as error:
            raise PeerUnreachable(f"the answer of {shown_url(url)} is not JSON") from error
