"""GET /v1/status: a signed look at one row."""

import asyncio
import json
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from sayso_node.api.http import queries
from sayso_node.api.http.negotiation import written
from sayso_node.api.routes import status as route
from sayso_node.api.routes.status import StatusRoutes
from sayso_node.verdicts.status_desk import StatusDesk, StatusQuestion
from sayso_protocol.network_file import NetworkFile, Operator
from sayso_protocol.primitives import address_text, hex_text
from sayso_protocol.receipts.status import status_from_json, status_to_json
from sayso_protocol.verdicts.query import Query
from sayso_protocol.verdicts.verdict import Reason, Row
from support.node_rig import ManualClock, NodeRig, consent, node_key, revocation
from support.protocol_strategies import BEN, NETWORK
from support.running_node import RunningNode
from support.waiting import until

TRUSTED = NetworkFile(NETWORK, 1, 0, (Operator("rig", bytes(node_key("rig").verify_key)),))
ONE = consent(1)
ROW = Row(ONE.digest, ONE.items[0])
QUERY = {"grantee": address_text(BEN), "purpose": "train-ai", "max_age_s": "600"}


def path(row: Row = ROW) -> str:
    return f"/v1/status/{hex_text(row.license)}/{hex_text(row.item)}"


async def ask(node: RunningNode, row: Row = ROW, **changes: str) -> tuple[int, Any]:
    return await node.ask("GET", path(row), params=QUERY | changes)


async def test_a_status_says_what_was_asked_and_verifies(node: RunningNode, clock: ManualClock) -> None:
    await node.submit(ONE)
    clock.time += 1
    node.chain.time = clock.time
    node.chain.mine()
    head = len(node.chain.blocks) - 1
    await until(lambda: node.node._freshness.head.point.number >= head)
    for expected in (Reason.GRANTED, Reason.REVOKED):
        status, body = await ask(node)
        answer = status_from_json(body)
        assert (status, answer.check(TRUSTED).name) == (200, "rig")
        asked = answer.status
        assert (asked.row, asked.query, asked.max_age_s) == (ROW, Query(BEN, "train-ai", ()), 600)
        assert asked.nonce == b""
        assert asked.reason is expected
        await node.submit(revocation("everything"))


@pytest.mark.parametrize("nonce", [b"", b"\0", b"n" * 16, b"n" * 32])
async def test_the_nonce_is_signed_wherever_it_stands(node: RunningNode, nonce: bytes) -> None:
    """Rule 9.1.1."""
    last = "&".join(f"{name}={value}" for name, value in QUERY.items()) + f"&nonce={hex_text(nonce)}"
    first = f"nonce={hex_text(nonce)}&{last.rpartition('&')[0]}"
    escaped = last.replace("nonce=0x", "nonce=%30%78")
    for query in (last, first, escaped):
        status, body = await node.get(f"{path()}?{query}")
        answer = status_from_json(body)
        assert (status, answer.check(TRUSTED).name, answer.status.nonce) == (200, "rig", nonce)


async def test_questions_that_differ_in_their_nonce_alone_are_read_once(node: RunningNode) -> None:
    check_before, read_before = queries._check.cache_info(), route._read_query.cache_info()
    for count in range(20):
        await ask(node, nonce=hex_text(bytes([count]) * 16))
    assert queries._check.cache_info().misses <= check_before.misses + 1
    assert route._read_query.cache_info().misses <= read_before.misses + 1


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("nonce=0x" + "00" * 33, "malformed"),
        ("nonce=0x0", "malformed"),
        ("nonce=0xAB", "malformed"),
        ("nonce=0x%200", "malformed"),
        ("nonce=ab", "malformed"),
        ("nonce=", "malformed"),
        ("nonce=0x" + "00" * 1_000, "malformed"),
        ("nonce=0x&nonce=0x", "bad-request"),
        ("nonce=0x&more=0x", "bad-request"),
    ],
)
async def test_a_wrong_nonce_is_refused(node: RunningNode, query: str, code: str) -> None:
    for text in (f"{urlencode(QUERY)}&{query}", f"{query}&{urlencode(QUERY)}"):
        status, body = await node.get(f"{path()}?{text}")
        assert (status, body["error"]["code"]) == (400, code)


async def test_it_is_not_to_be_kept(node: RunningNode) -> None:
    """It speaks for one moment."""
    async with node.http.get(node.url + path(), params=QUERY, headers={"If-None-Match": "*"}) as answer:
        assert (answer.status, answer.headers["Cache-Control"]) == (200, "no-store")
        assert "ETag" not in answer.headers


async def test_questions_at_once_share_a_signature(node: RunningNode) -> None:
    await node.submit(ONE)
    answers = await asyncio.gather(*(ask(node) for _ in range(8)))
    assert all(status_from_json(body).check(TRUSTED) for _, body in answers)
    assert len({body["signature"] for _, body in answers}) < 8


async def test_it_is_written_as_any_json_is(tmp_path: Path) -> None:
    with NodeRig(tmp_path) as rig:
        desk = StatusDesk(
            NETWORK, rig.store, rig.freshness, rig.identity, rig.clock, rig.counters, rig.licenses
        )
        routes = StatusRoutes(desk)
        await rig.give(ONE)
        for purpose in ("train-ai", "x", "a" + "-9" * 15):
            asked = StatusQuestion(ROW, Query(BEN, purpose), 600)
            answers = await asyncio.gather(*(desk.ask(asked) for _ in range(5)))
            for one in answers:
                assert written(routes._written(one)).decode() == json.dumps(status_to_json(one))


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("", "bad-request"),
        ("grantee=0x" + "00" * 20 + "&purpose=train-ai", "bad-request"),
        ("grantee=0x" + "00" * 20 + "&purpose=train-ai&max_age_s=60&more=1", "bad-request"),
        ("grantee=0x" + "00" * 20 + "&purpose=train-ai&max_age_s=60&max_age_s=60", "bad-request"),
        ("grantee=0x" + "00" * 20 + "&grantee=0x" + "00" * 20 + "&purpose=train-ai", "bad-request"),
        ("grantee=0x" + "00" * 20 + "&purpose=train-ai&max_age_s=-1", "bad-request"),
        ("grantee=0x" + "00" * 20 + "&purpose=train-ai&max_age_s=1e3", "bad-request"),
        ("grantee=0x" + "00" * 20 + "&purpose=train-ai&max_age_s=%D9%A1", "bad-request"),
        ("grantee=0x" + "00" * 20 + "&purpose=train-ai&max_age_s=4294967296", "bad-request"),
        ("grantee=0x" + "00" * 20 + "&purpose=train-ai&max_age_s=" + "9" * 5_000, "bad-request"),
        ("grantee=0x00&purpose=train-ai&max_age_s=60", "invalid-address"),
        ("grantee=%ED%A0%80&purpose=train-ai&max_age_s=60", "invalid-address"),
        ("grantee=0x" + "00" * 20 + "&purpose=Train&max_age_s=60", "invalid-purpose"),
    ],
)
async def test_a_wrong_query_is_refused(node: RunningNode, query: str, code: str) -> None:
    status, body = await node.get(f"{path()}?{query}")
    assert (status, body["error"]["code"]) == (400, code)


A, B = (address_text(bytes([n]) * 20) for n in (1, 2))


@pytest.mark.parametrize(
    ("heed", "code"),
    [
        (",", "invalid-address"),
        (f"{A},", "invalid-address"),
        (f" {A}", "invalid-address"),
        (f"{A},{A}", "malformed"),
        (f"{B},{A}", "malformed"),
        ("0x" + "00" * 20, "malformed"),
        ("0x" + "01" * 19, "invalid-address"),
        (",".join(address_text(bytes([n]) * 20) for n in range(1, 18)), "malformed"),
        ("none", "invalid-address"),
    ],
)
async def test_a_wrong_list_is_refused(node: RunningNode, heed: str, code: str) -> None:
    """Rule 8.17.1."""
    status, body = await ask(node, heed=heed)
    assert (status, body["error"]["code"]) == (400, code)


@pytest.mark.parametrize("heed", ["", A, f"{A},{B}"])
async def test_the_list_is_signed_as_it_was_given(node: RunningNode, heed: str) -> None:
    status, body = await ask(node, heed=heed)
    signed = status_from_json(body)
    assert (status, signed.check(TRUSTED).name, ",".join(body["heed"])) == (200, "rig", heed)


@pytest.mark.parametrize("name", ["x", "0x", "0x" + "AB" * 32, "0x" + "ab" * 33])
async def test_a_wrong_hash_is_refused(node: RunningNode, name: str) -> None:
    for place in (
        f"/v1/status/{name}/{hex_text(ROW.item)}",
        f"/v1/status/{hex_text(ROW.license)}/{name}",
    ):
        status, body = await node.ask("GET", place, params=QUERY)
        assert (status, body["error"]["code"]) == (400, "malformed")


async def test_other_methods_and_places_are_refused(node: RunningNode) -> None:
    assert (await node.ask("POST", path(), params=QUERY))[0] == 405
    assert (await node.get(f"/v1/status/{hex_text(ROW.license)}"))[0] == 404


async def test_a_license_that_came_while_the_clock_was_ahead(
    node: RunningNode, clock: ManualClock
) -> None:
    """It is in the cache with the date that it had then."""
    right = clock.time
    clock.time += 86_400
    await node.submit(ONE)
    assert (await ask(node))[1]["reason"] == Reason.STALE
    clock.time = right + 1
    await until(lambda: node.node._freshness.chain_begun <= clock.time)

    async def is_granted() -> bool:
        clock.time += 1
        node.chain.time = clock.time
        node.chain.mine()
        return bool((await ask(node))[1]["reason"] == Reason.GRANTED)

    await until(is_granted)
