"""Where deliveries go: a web server that is posted to, or a program that is run."""

import asyncio
import os
import shlex
import shutil
import signal
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Final, NamedTuple, Protocol

import aiohttp

from sayso.delivery import reach, signing
from sayso.delivery.errors import BadTarget, PrivateTarget, TargetRefused, TargetUnreachable
from sayso_protocol.errors import SaysoError
from sayso_protocol.redaction import reason_of

TIMEOUT_S: Final = 30.0  # for an answer, or for a program to end
ACCEPTED: Final = range(200, 300)
# From the server, or from a proxy that does not reach it (Cloudflare: 520 to 530).
ASK_LATER: Final = frozenset({408, 425, 429, 502, 503, 504, *range(520, 531)})


class Parcel(NamedTuple):
    """Parcel is one event as it is handed over.

    Attributes:
        name: Its id, the same each time that it is delivered.
        type: `sayso.` and the name of the event.
        body: JSON.
    """

    name: str
    type: str
    body: bytes


class Target(Protocol):
    """Target is a program or a web server that takes one event after the other."""

    async def deliver(self, one: Parcel) -> None:
        """Hand an event over; raises TargetUnreachable, PrivateTarget and TargetRefused."""
        ...

    async def close(self) -> None:
        """Release what the target holds."""
        ...


class Poster:
    """Poster posts signed events (signing.py) to a URL.

    Args:
        url: The URL.
        secret: The secret that both sides know.
        allow_private: Whether the address may be a private one.
    """

    def __init__(self, url: str, secret: bytes, *, allow_private: bool) -> None:
        self._url = reach.check_url(url, allow_private=allow_private)
        self._secret = secret
        self._factory = reach.socket_factory(allow_private=allow_private)
        self._http: aiohttp.ClientSession | None = None

    async def deliver(self, one: Parcel) -> None:
        """See Target."""
        headers = signing.headers(self._secret, one.name, int(time.time()), one.body)
        try:
            async with self._session().post(
                self._url, data=one.body, headers=headers, allow_redirects=False
            ) as answer:
                status = answer.status
                answer.close()  # its body says nothing that we need
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            raise TargetUnreachable(f"{self._url.host} does not answer: {reason_of(error)}") from error
        if status in ASK_LATER:
            raise TargetUnreachable(f"{self._url.host} answered {status}")
        if status not in ACCEPTED:
            raise TargetRefused(f"{self._url.host} answered {status}")

    async def close(self) -> None:
        """See Target."""
        if self._http:
            await self._http.close()

    def _session(self) -> aiohttp.ClientSession:
        if self._http is None:
            # Each delivery connects anew, so that no address is used longer than it was checked.
            connector = aiohttp.TCPConnector(
                force_close=True, use_dns_cache=False, socket_factory=self._factory
            )
            timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
            jar = aiohttp.DummyCookieJar()
            self._http = aiohttp.ClientSession(connector=connector, timeout=timeout, cookie_jar=jar)
        return self._http


class Program:
    """Program runs a command for each event, with the body on its standard input; without a shell.

    `SAYSO_EVENT_ID` and `SAYSO_EVENT_TYPE` are in its environment, and no other setting of ours. It
    takes the event by ending with 0.

    Args:
        command: The command and its arguments, as a shell would split them.

    Raises:
        BadTarget: There is no such program.
    """

    def __init__(self, command: str) -> None:
        try:
            words = shlex.split(command)
        except ValueError as error:
            raise BadTarget(f"--exec cannot be split into words: {error}") from error
        if not words or shutil.which(words[0]) is None:
            raise BadTarget("--exec names no program that can be run")
        self._words: Sequence[str] = words

    async def deliver(self, one: Parcel) -> None:
        """See Target."""
        # Our own settings stay here: among them are passwords of keys and databases.
        theirs = {name: value for name, value in os.environ.items() if not name.startswith("SAYSO_")}
        environment = theirs | {"SAYSO_EVENT_ID": one.name, "SAYSO_EVENT_TYPE": one.type}
        try:
            process = await asyncio.create_subprocess_exec(
                *self._words,
                stdin=asyncio.subprocess.PIPE,
                env=environment,
                start_new_session=True,
            )
        except OSError as error:
            raise TargetUnreachable(f"the program cannot be started: {error.strerror}") from error
        try:
            async with asyncio.timeout(TIMEOUT_S):
                await process.communicate(one.body)
        except TimeoutError as error:
            raise TargetRefused(f"the program did not end within {TIMEOUT_S:g} seconds") from error
        finally:
            if process.returncode is None:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                await process.wait()
        if process.returncode:
            raise TargetRefused(f"the program ended with {process.returncode}")

    async def close(self) -> None:
        """See Target."""


def is_for_later(error: SaysoError) -> bool:
    """Return whether an event is tried again for as long as it takes."""
    return isinstance(error, (TargetUnreachable, PrivateTarget))
