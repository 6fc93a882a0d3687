"""Two node processes: one that is killed again and again under load, and its peer that lives on.

What the mortal one answered is looked for in the file it left, before it starts anew and could hear it
from its peer.
"""

import asyncio
import itertools
import json
import os
import shutil
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import aiohttp

from sayso.demo.ports import free_ports
from sayso_node.folder.config import init_node
from sayso_node.folder.settings import Settings
from sayso_node.store import messages
from sayso_node.store.opening import location_in, store_at
from sayso_node.store.revocations import bits
from sayso_protocol.limits import LIMITS
from sayso_protocol.messages.consent import Consent
from sayso_protocol.messages.envelope import Envelope, encode
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.messages.wire import encode_bundle
from sayso_protocol.network_file import NetworkFile
from sayso_protocol.primitives import ANYONE, address_text, hex_text
from support.protocol_strategies import NETWORK, WALLETS, a_consent, full_words, item_hashes, signed
from support.waiting import DEADLINE_S

KILLED = -9
CLIENTS = 6
BUNDLE = 50
ISSUED_AT = 1_700_000_000
MORTAL = Path(__file__).with_name("mortal.py")


def pair(number: int) -> tuple[Envelope, Envelope]:
    """A consent, and the revocation of all that it permits."""
    contributor = list(WALLETS)[number % len(WALLETS)]
    items = item_hashes(1 + number % 3, number)
    dates = {"issued_at": ISSUED_AT, "expires_at": ISSUED_AT + LIMITS.validity_s}
    consent = a_consent(items, contributor=contributor, parties=(contributor,), grantee=ANYONE, **dates)
    masks = full_words(consent)
    revocation = Revocation(contributor, words=tuple(masks), masks=tuple(masks.values()))
    return signed(consent, items), signed(revocation)


@contextmanager
def left_by(folder: Path) -> Iterator[Any]:
    """The store of a node that was killed, read in a copy: the node recovers its own."""
    copy = folder.with_name("copy")
    copy.mkdir()
    for path in folder.glob("store.*"):
        shutil.copy(path, copy)
    store = store_at(location_in(copy))
    store.start()
    try:
        with store.read() as db:
            yield db
    finally:
        store.stop()
        shutil.rmtree(copy)


class Clients:
    """Many who hand in messages at once, and remember what they were answered."""

    def __init__(self, http: aiohttp.ClientSession, url: str) -> None:
        self._http, self._url = http, url
        self._numbers = itertools.count()
        self.kept: dict[bytes, Envelope] = {}
        self.promises: dict[bytes, Any] = {}  # acknowledgements as they were given
        self.open: list[Envelope] = []  # sent, and the answer never came
        self.recent: list[Envelope] = []

    async def ask(self, method: str, path: str, **body: Any) -> tuple[int, Any]:
        """Status and JSON of an answer that came whole."""
        async with self._http.request(method, self._url + path, **body) as response:
            return response.status, await response.json()

    async def hand_in(self, *envelopes: Envelope) -> None:
        """Hand messages in; an acknowledgement once given is given again."""
        body = encode_bundle([encode(one) for one in envelopes])
        headers = {"Content-Type": "application/msgpack"}
        status, answer = await self.ask("POST", "/v1/messages", data=body, headers=headers)
        assert status == 200, answer
        for envelope, result in zip(envelopes, answer["results"], strict=True):
            if isinstance(envelope.message, Revocation):
                promise = result["acknowledgement"]
                first = self.promises.setdefault(envelope.digest, promise)
                assert promise == first, "another acknowledgement than the first"
            self.kept[envelope.digest] = envelope

    async def press(self) -> None:
        """Hand in as much as they can, until the node is gone."""
        self.recent.clear()
        async with asyncio.timeout(DEADLINE_S):
            await asyncio.gather(*(self._press() for _ in range(CLIENTS)))

    async def _press(self) -> None:
        while True:
            for envelope in pair(next(self._numbers)):
                self.recent.append(envelope)
                try:
                    await self.hand_in(envelope)
                except aiohttp.ClientError:
                    self.open.append(envelope)
                    return

    async def repeat(self) -> None:
        """Whoever got no answer asks again, and so do some of those that did."""
        again, self.open = [*self.open, *self.recent], []
        for start in range(0, len(again), BUNDLE):
            try:
                await self.hand_in(*again[start : start + BUNDLE])
            except aiohttp.ClientError:  # killed again
                self.open = again[start:]
                return

    def expect_kept(self, folder: Path) -> None:
        """All that was answered is in the file of the node that was killed."""
        with left_by(folder) as db:
            lost = [one for one in self.kept.values() if not _is_in(db, one)]
            for one in self.open:
                told = db.execute("SELECT body FROM acknowledgements WHERE digest = ?", (one.digest,))
                for (promise,) in told:  # given, and lost on the way
                    self.promises[one.digest] = json.loads(promise)
        assert not lost, f"lost: {len(lost)} of {len(self.kept)} answered messages"

    async def expect_answered(self) -> None:
        """The node holds every consent that it answered, and refuses what it acknowledged."""
        kept = self.kept.values()
        held = [(one, one.message) for one in kept if isinstance(one.message, Consent)]
        rows = [[hex_text(one.digest), hex_text(one.items[0])] for one, _ in held]
        if not rows:
            return
        question = {
            "grantee": address_text(ANYONE),
            "purpose": "train-ai",
            "max_age_s": 60,
            "run_id": "",
        }
        status, answer = await self.ask("POST", "/v1/check", json={**question, "rows": rows})
        assert status == 200, answer
        taken_back = [one.message for one in kept if isinstance(one.message, Revocation)]
        revoked = {word for message in taken_back for word in message.words}
        for (_, consent), reason in zip(held, answer["reasons"], strict=True):
            assert reason == "revoked" or not full_words(consent).keys() & revoked
            assert reason != "unknown"


def _is_in(db: Any, envelope: Envelope) -> bool:
    message = envelope.message
    if not messages.is_known(db, envelope.digest):
        return False
    heard = message.bits if isinstance(message, Revocation) else {}
    return all(not mask & ~bits.masks_at(db, message.signer, word)[0] for word, mask in heard.items())


class MortalNode:
    """The node that is killed, its peer, and the clients of the first."""

    def __init__(self, folder: Path, clients: Clients) -> None:
        self._folder = folder
        self.clients = clients
        self.peer_store = location_in(folder / "peer")

    async def lives(self, *points: str, fault: str = "") -> None:
        """One life: start, answer for the one before, be killed at the last point under load."""
        command = (
            str(MORTAL),
            str(self._folder / "mortal"),
            *points,
            *(("--fault", fault) if fault else ()),
        )
        async with _process(*command) as process:
            await self.answers(process)
            await self.clients.expect_answered()
            await self.clients.repeat()
            await self.clients.press()
            assert await asyncio.wait_for(process.wait(), DEADLINE_S) == KILLED
        self.clients.expect_kept(self._folder / "mortal")

    async def answers(self, process: Process) -> None:
        """Return when the node answers."""
        end = time.monotonic() + DEADLINE_S
        while True:
            assert process.returncode is None, f"the node ended with {process.returncode}"
            try:
                status, _ = await self.clients.ask("GET", "/healthz")
            except aiohttp.ClientError:
                status = 0
            if status == 200:
                return
            assert time.monotonic() < end, "the node does not answer"
            await asyncio.sleep(0.02)

    async def expect_relayed(self) -> None:
        """After a last start, the peer gets to know all that was answered."""
        async with _process("-m", "sayso_node", str(self._folder / "mortal")) as process:
            await self.answers(process)
            await self.clients.expect_answered()
            await self.clients.repeat()
            end = time.monotonic() + DEADLINE_S
            while lacking := self.clients.kept.keys() - _digests(self.peer_store):
                assert time.monotonic() < end, f"the peer lacks {len(lacking)} messages"
                await asyncio.sleep(0.05)


def _digests(location: str) -> set[bytes]:
    store = store_at(location)
    store.start()
    try:
        with store.read() as db:
            return {digest for (digest,) in db.execute("SELECT digest FROM messages")}
    finally:
        store.stop()


@asynccontextmanager
async def _process(*arguments: str) -> AsyncIterator[Process]:
    """A Python process that ends with the block, and with us."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, *arguments, stdin=PIPE, start_new_session=True
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


@asynccontextmanager
async def mortal_node(folder: Path, *, peer: bool = True) -> AsyncIterator[MortalNode]:
    """Two folders, and the peer running if there shall be one."""
    ports = free_ports(4)
    operators = []
    for name in ("mortal", "peer"):
        api, listen = ports.pop(), ports.pop()
        settings = Settings(
            name=name,
            network="../network.toml",
            http=f"127.0.0.1:{api}",
            listen=(f"/ip4/127.0.0.1/tcp/{listen}",),
            rpc="http://127.0.0.1:1",
            sync_interval_s=1.0,
            disabled=("chain",),
        )
        operators.append(init_node(folder / name, settings, os.urandom))
    trusted = NetworkFile(NETWORK, 1, 2, tuple(operators))
    (folder / "network.toml").write_text(trusted.to_toml())
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(aiohttp.ClientSession())
        if peer:
            await stack.enter_async_context(_process("-m", "sayso_node", str(folder / "peer")))
        yield MortalNode(folder, Clients(http, operators[0].url))
