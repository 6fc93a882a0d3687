"""The stream of revocations: every event once, in order, also for whoever comes back after a while."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp
import pytest

from sayso.node_client.following import FIRST as FIRST_EVENT
from sayso.node_client.following import Event, Gap, Reached, follow
from sayso_node.api.http.shares import Seats
from sayso_node.api.routes import events
from sayso_node.errors import StoreUnusable
from sayso_protocol.permissions.scopes import scope_word
from sayso_protocol.primitives import address_text, hex_text
from support.fake_chain import revoked
from support.holders import LABS, removal, sublicense, use
from support.node_rig import NOW, consent, revocation
from support.protocol_strategies import ADA, BEN, CLEO
from support.running_node import RunningNode, running_node
from support.waiting import DEADLINE_S, until

FIRST = {"after": "0"}


class Heard(NamedTuple):
    id: str
    kind: str
    data: Any


@asynccontextmanager
async def listening(
    node: RunningNode, after: str | None = None, **options: Any
) -> AsyncIterator[aiohttp.ClientResponse]:
    headers = {"Last-Event-ID": after} if after else {}
    async with node.http.get(node.url + "/v1/events", headers=headers, **options) as response:
        assert (response.status, response.content_type) == (200, "text/event-stream")
        yield response


async def read(response: aiohttp.ClientResponse, count: int) -> list[Heard]:
    """The next events; comments are left out, as the standard says."""
    found: list[Heard] = []
    fields: dict[str, str] = {}
    async with asyncio.timeout(DEADLINE_S):
        while len(found) < count:
            line = (await response.content.readline()).decode()
            assert line, "the stream has ended"
            if line == "\n":
                if fields:
                    found.append(
                        Heard(fields.get("id", ""), fields["event"], json.loads(fields["data"]))
                    )
                fields = {}
            elif not line.startswith(":"):
                name, value = line.rstrip("\n").split(": ", 1)
                fields[name] = value
    return found


async def revoke(node: RunningNode, *numbers: int) -> None:
    for number in numbers:
        status, _ = await node.submit(revocation(f"file {hex_text(consent(number).items[0])}"))
        assert status == 200


def words(heard: list[Heard]) -> list[int]:
    return [int(one.data["word"]) for one in heard]


def expected(*numbers: int) -> list[int]:
    return [scope_word(f"file {hex_text(consent(number).items[0])}") for number in numbers]


@pytest.fixture
async def known(node: RunningNode) -> RunningNode:
    """A node that knows the contributor, so that every scope of hers matters."""
    await node.submit(consent(1))
    return node


async def test_an_event_says_whose_bits_and_which_message(known: RunningNode) -> None:
    async with listening(known) as response:
        await response.content.readuntil(b"\n\n")  # it listens
        await revoke(known, 1)
        [heard] = await read(response, 1)
    message = revocation(f"file {hex_text(consent(1).items[0])}")
    assert heard.kind == "revocation"
    assert heard.data == {
        "contributor": address_text(ADA),
        "word": str(expected(1)[0]),
        "mask": "1",
        "source": "signed",
        "digest": hex_text(message.digest),
        "time": NOW,
    }


async def test_without_an_id_only_what_comes_from_now_on(known: RunningNode) -> None:
    await revoke(known, 1)
    async with listening(known) as response:
        await response.content.readuntil(b"\n\n")
        await revoke(known, 2)
        assert words(await read(response, 1)) == expected(2)


async def test_what_the_chain_says_has_no_message(known: RunningNode) -> None:
    async with listening(known, params=FIRST) as response:
        known.chain.mine(revoked(BEN, word=7, bits=5))
        [heard] = await read(response, 1)
    assert heard.data["digest"] is None
    assert (heard.data["source"], heard.data["word"], heard.data["mask"]) == ("chain", "7", "5")


async def test_who_comes_back_misses_nothing_and_hears_nothing_twice(
    known: RunningNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While revocations come all the time, a listener hangs up after every few events."""
    monkeypatch.setattr(events, "EVENTS_PAGE", 3)
    numbers = range(1, 31)
    talking = asyncio.create_task(revoke(known, *numbers))
    heard: list[Heard] = []
    while len(heard) < len(numbers):
        after = {"after": heard[-1].id} if heard else FIRST
        async with listening(known, params=after) as response:
            heard += await read(response, min(4, len(numbers) - len(heard)))
    await talking
    assert words(heard) == expected(*numbers)
    assert len({one.id for one in heard}) == len(heard)


async def test_the_header_of_a_browser_that_comes_back_counts_before_the_query(
    known: RunningNode,
) -> None:
    await revoke(known, 1, 2, 3)
    async with listening(known, params=FIRST) as response:
        first, *_ = await read(response, 3)
    async with listening(known, after=first.id, params=FIRST) as response:
        assert words(await read(response, 2)) == expected(2, 3)


async def test_ids_last_longer_than_the_process(tmp_path: Path) -> None:
    async with running_node(tmp_path) as node:
        await node.submit(consent(1))
        await revoke(node, 1, 2)
        async with listening(node, params=FIRST) as response:
            first, _ = await read(response, 2)
    async with running_node(tmp_path) as node, listening(node, after=first.id) as response:
        assert words(await read(response, 1)) == expected(2)


async def test_an_id_of_another_store_or_from_ahead_says_resync(known: RunningNode) -> None:
    await revoke(known, 1)
    async with listening(known, params=FIRST) as response:
        [one] = await read(response, 1)
    store, seq = one.id.split("-")
    ahead, other = f"{store}-{int(seq) + 1}", f"{'0' * 32}-{seq}"
    for after in (ahead, other):
        status, body = await known.ask("GET", "/v1/events", params={"after": after})
        assert (status, body["error"]["code"]) == (410, "resync")


async def test_an_id_whose_events_are_gone_says_resync(known: RunningNode) -> None:
    await revoke(known, 1, 2, 3)
    async with listening(known, params=FIRST) as response:
        first, second, _ = await read(response, 3)
    seq = int(second.id.split("-")[1])
    await known.node._store.write(lambda db: db.execute("DELETE FROM events WHERE seq <= ?", (seq,)))
    status, body = await known.ask("GET", "/v1/events", params={"after": first.id})
    assert (status, body["error"]["code"]) == (410, "resync")
    async with listening(known, after=second.id) as response:
        assert words(await read(response, 1)) == expected(3)


async def test_there_are_only_so_many_streams_and_a_listener_that_leaves_makes_room(
    known: RunningNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    routes = known.node._http._closing[0].__self__  # type: ignore[attr-defined]
    monkeypatch.setattr(routes, "_seats", Seats(1, 1, "listeners"))
    monkeypatch.setattr(events, "BEAT_S", 0.05)  # a beat finds out that nobody listens
    async with listening(known) as response:
        await response.content.readuntil(b"\n\n")
        status, body = await known.get("/v1/events")
        assert (status, body["error"]["code"]) == (503, "node-busy")
        response.close()
    await until(lambda: not routes._streams)
    async with listening(known) as response:
        await response.content.readuntil(b"\n\n")


async def test_a_listener_who_does_not_read_is_hung_up_on(
    known: RunningNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "LISTENER_STALL_S", 0.2)
    monkeypatch.setattr(events, "_text", lambda *_: f": {'x' * 1_000_000}\n\n")
    async with listening(known, params=FIRST, read_bufsize=1_024):
        routes = known.node._http._closing[0].__self__  # type: ignore[attr-defined]
        await until(lambda: routes._streams)
        for number in range(1, 16):
            await revoke(known, number)
        await until(lambda: not routes._streams)
    assert await known.get("/healthz") == (200, {"ok": True})


async def test_a_store_that_fails_meanwhile_is_said_within_the_stream(
    known: RunningNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextmanager
    def broken() -> Iterator[Any]:
        raise StoreUnusable("the disk is gone")
        yield

    async with listening(known) as response:
        await response.content.readuntil(b"\n\n")
        monkeypatch.setattr(known.node._store, "read", broken)
        await revoke_unread(known)
        [heard] = await read(response, 1)
        assert (heard.kind, heard.data["code"]) == ("error", "store-unusable")


async def revoke_unread(node: RunningNode) -> None:
    """A commit that no reader is needed for."""
    await node.node._store.write(lambda db: db.execute("DELETE FROM numbers WHERE name = 'none'"))


async def test_a_node_that_stops_ends_its_streams(tmp_path: Path) -> None:
    async with running_node(tmp_path) as node, listening(node) as response:
        await response.content.readuntil(b"\n\n")
        await node.node.stop()
        async with asyncio.timeout(DEADLINE_S):
            left = (await response.read()).decode().split()
            assert [one for one in left if "event" in one or "data" in one] == []
        assert response.content.at_eof()


SOLD = consent(21, purposes=("resale", "train-ai"))
DAN, EVE, *_ = LABS


async def test_a_statement_is_an_event_with_its_fields_and_so_is_its_withdrawal(
    node: RunningNode,
) -> None:
    passed = sublicense(BEN, DAN, [SOLD.digest])
    used, removed = use(DAN, [passed.digest]), removal(DAN, [SOLD.digest])
    ended = revocation(f"statement {hex_text(passed.digest)}", contributor=BEN)
    assert (await node.submit(SOLD, passed, used, removed))[0] == 200
    assert (await node.submit(ended))[0] == 200
    async with listening(node, params=FIRST) as response:
        heard = await read(response, 5)
    assert [one.kind for one in heard] == ["sublicense", "use", "removal", "revocation", "withdrawal"]
    one = heard[0].data
    assert one["digest"] == heard[-1].data["digest"] == hex_text(passed.digest)
    assert (one["signer"], one["statement"]["grantee"]) == (address_text(BEN), address_text(DAN))
    assert one["statement"]["purposes"] == ["train-ai"]
    assert "notice" not in one["statement"]
    assert heard[1].data["statement"]["run"] == "run-7"


async def test_a_listener_hears_of_its_own_and_resumes_without_a_gap(node: RunningNode) -> None:
    passed = sublicense(BEN, DAN, [SOLD.digest])
    await node.submit(SOLD, consent(22, contributor=CLEO, parties=(CLEO,), grantee=EVE), passed)
    mine = FIRST | {"holder": address_text(DAN)}
    async with listening(node, params=mine) as response:
        [first] = await read(response, 1)
    for scope, who in (
        ("everything", CLEO),
        ("via kled.ai", ADA),
        ("via other.ai", CLEO),
        ("everything", ADA),
    ):
        await node.submit(revocation(scope, contributor=who))
    async with listening(node, after=first.id, params=mine) as response:
        heard = await read(response, 2)
    assert first.kind == "sublicense"
    assert [one.data["contributor"] for one in heard] == [address_text(ADA)] * 2
    both = {"after": heard[0].id, "contributor": address_text(CLEO), "holder": address_text(DAN)}
    async with listening(node, params=both) as response:
        heard = await read(response, 2)
    assert [one.data["contributor"] for one in heard] == [address_text(CLEO), address_text(ADA)]


async def test_the_client_hears_them_and_where_it_stands(node: RunningNode) -> None:
    await node.submit(SOLD, sublicense(BEN, DAN, [SOLD.digest]))
    await node.submit(revocation("everything"))

    async def heard(after: str, **of: list[bytes]) -> list[Event | Gap | Reached]:
        found = []
        async with asyncio.timeout(DEADLINE_S):
            async for one in follow(node.url, after, of=of):
                found.append(one)
                if isinstance(one, Reached):
                    return found
        raise AssertionError

    passed, revoked_, reached = await heard(FIRST_EVENT, contributor=[ADA])
    assert isinstance(passed, Event)
    assert (passed.name, passed.signer) == ("sublicense", BEN)
    assert isinstance(revoked_, Event)
    assert (revoked_.name, revoked_.signer) == ("revocation", ADA)
    assert reached == Reached(revoked_.id)
    # Whom nothing concerns stands where the others do, so nothing is looked through again.
    assert await heard(FIRST_EVENT, holder=[EVE]) == [reached]
    assert await heard(reached.id, contributor=[ADA]) == [reached]


@pytest.mark.parametrize(
    "query",
    [
        *("after=x", "after=1", "after=0-0", "after=-1", "other=1", "after=" + "a" * 32 + "-01"),
        "holder=" + ",".join([address_text(ADA)] * 17),
        f"holder={','.join([address_text(ADA)] * 9)}&contributor={','.join([address_text(BEN)] * 8)}",
    ],
)
async def test_what_is_no_id(node: RunningNode, query: str) -> None:
    status, body = await node.get(f"/v1/events?{query}")
    assert (status, body["error"]["code"]) == (400, "bad-request")


@pytest.mark.parametrize("text", ["", "0x12", "nobody", address_text(ADA) + ","])
async def test_what_is_no_address(node: RunningNode, text: str) -> None:
    status, body = await node.get(f"/v1/events?holder={text}")
    assert (status, body["error"]["code"]) == (400, "invalid-address")
