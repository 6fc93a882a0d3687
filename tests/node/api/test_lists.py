"""Lists in pages: nothing twice, nothing left out, whatever comes meanwhile."""

import random
from typing import Any

import pytest

from sayso_protocol.primitives import address_text, hex_text
from support.node_rig import consent, revocation
from support.protocol_strategies import ADA, BEN, CLEO, a_consent, item_hashes, signed
from support.running_node import RunningNode

ITEM = item_hashes(1, 1)[0]
OF_ADA = f"/v1/contributors/{address_text(ADA)}/licenses"
CLAIMS = f"/v1/items/{hex_text(ITEM)}/claims"


def on_item(days: int) -> Any:
    """A consent on always the same item, on other dates."""
    items = item_hashes(1, 1)
    return signed(a_consent(items, expires_at=1_760_000_000 + days), items)


async def pages(node: RunningNode, path: str, limit: int, meanwhile: Any = None) -> list[list[Any]]:
    """All pages of a list."""
    found, query = [], {"limit": str(limit)}
    while True:
        status, body = await node.ask("GET", path, params=query)
        assert status == 200, body
        found.append(body.get("licenses", body.get("claims")))
        if body["next"] is None:
            return found
        query = {"limit": str(limit), "cursor": body["next"]}
        if meanwhile:
            await meanwhile()


async def test_pages_hold_every_row_once_in_order(node: RunningNode) -> None:
    envelopes = [consent(number) for number in random.Random(3).sample(range(40), 11)]
    await node.submit(*envelopes)
    expected = [hex_text(one.digest) for one in envelopes]
    for limit in (1, 4, 11, 12, 500):
        found = await pages(node, OF_ADA, limit)
        assert [row["license"] for page in found for row in page] == expected
        assert all(len(page) == limit for page in found[:-1])
        assert 1 <= len(found[-1]) <= limit


@pytest.mark.parametrize("path", [OF_ADA, CLAIMS])
async def test_what_comes_while_somebody_reads_moves_nothing(node: RunningNode, path: str) -> None:
    coming = iter(range(100, 106))

    async def one_more() -> None:
        if (number := next(coming, None)) is not None:
            await node.submit(on_item(number))

    before = [on_item(number) for number in range(5)]
    await node.submit(*before)
    found = await pages(node, path, 2, one_more)
    rows = [row["license"] for page in found for row in page]
    late = [hex_text(on_item(number).digest) for number in range(100, 106)]
    expected = [hex_text(one.digest) for one in before] + late
    assert len(rows) > len(before)
    assert rows == expected[: len(rows)]


async def test_claims_say_who_licensed_it_and_what_was_taken_back_and_are_never_clear(
    node: RunningNode,
) -> None:
    """Rule 8.11."""
    one = on_item(0)
    assert await node.get(CLAIMS) == (200, {"clear": False, "claims": [], "next": None})
    await node.submit(one, consent(2))
    _, body = await node.get(CLAIMS)
    [claim] = body["claims"]
    assert body["clear"] is False
    assert claim == {
        "license": hex_text(one.digest),
        "contributor": address_text(ADA),
        "parties": [address_text(ADA)],
        "grantee": address_text(BEN),
        "via": one.message.via,
        "purposes": list(one.message.purposes),
        "revoked_purposes": [],
        "issued_at": one.message.issued_at,
        "expires_at": one.message.expires_at,
        "recheck_hours": 168,
        "removal_days": 30,
    }
    first, *_ = one.message.purposes
    await node.submit(revocation(f"file {hex_text(ITEM)} for {first}"))
    _, body = await node.get(CLAIMS)
    assert (body["clear"], body["claims"][0]["revoked_purposes"]) == (False, [first])


async def test_claims_beside_a_license_are_those_of_the_same_parties(node: RunningNode) -> None:
    items, pair = item_hashes(1, 1), tuple(sorted((ADA, BEN)))

    def shared(contributor: bytes, parties: tuple[bytes, ...], days: int = 0) -> Any:
        ends = 1_760_000_000 + days
        message = a_consent(items, contributor=contributor, parties=parties, expires_at=ends)
        return signed(message, items)

    mine, hers, again = shared(ADA, pair), shared(BEN, pair), shared(BEN, pair, 1)
    others = [shared(CLEO, tuple(sorted((ADA, BEN, CLEO)))), shared(BEN, (BEN,)), on_item(1)]
    await node.submit(others[0], mine, others[1], hers, again, others[2])
    expected = [[hex_text(one.digest)] for one in (mine, hers, again)]
    beside = f"{CLAIMS}?beside={hex_text(mine.digest)}"
    found, cursor = [], ""
    while cursor is not None:
        status, body = await node.get(f"{beside}&limit=1{cursor}")
        assert (status, body["clear"]) == (200, False)
        found.append([one["license"] for one in body["claims"]])
        cursor = body["next"] and f"&cursor={body['next']}"
    assert found == expected
    _, body = await node.get(f"{CLAIMS}?beside={hex_text(on_item(1).digest)}")
    assert (body["claims"], body["next"]) == ([], None)
    status, body = await node.get(f"{CLAIMS}?beside={hex_text(bytes(32))}")
    assert (status, body["error"]["code"]) == (404, "not-found")
    status, body = await node.get(f"{CLAIMS}?beside=0x12")
    assert (status, body["error"]["code"]) == (400, "malformed")


async def test_a_cursor_is_good_for_its_own_list_only(node: RunningNode) -> None:
    await node.submit(*(on_item(number) for number in range(3)))
    _, body = await node.get(f"{OF_ADA}?limit=1")
    cursor = body["next"]
    others = [CLAIMS, f"/v1/contributors/{address_text(CLEO)}/licenses"]
    for path in others:
        status, body = await node.ask("GET", path, params={"cursor": cursor})
        assert (status, body["error"]["code"]) == (400, "bad-cursor")
    # The same address in another case is the same list.
    status, body = await node.ask("GET", OF_ADA.lower(), params={"cursor": cursor})
    assert (status, len(body["licenses"])) == (200, 2)


async def test_a_changed_cursor_is_refused_wherever_it_was_changed(node: RunningNode) -> None:
    await node.submit(consent(1), consent(2))
    _, body = await node.get(f"{OF_ADA}?limit=1")
    cursor, rng = body["next"], random.Random(5)
    tricks = ["", "0", cursor[:-1], cursor + "A", cursor + "=", cursor.swapcase(), "A" * 27, cursor * 9]
    for place in range(len(cursor)):
        other = rng.choice([char for char in "AZaz09-_" if char != cursor[place]])
        tricks.append(cursor[:place] + other + cursor[place + 1 :])
    for trick in tricks:
        status, body = await node.ask("GET", OF_ADA, params={"cursor": trick})
        assert (status, body["error"]["code"]) == (400, "bad-cursor"), trick


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=-1", "limit=1001", "limit=x", "limit=1&limit=2", "page=2", "limit="]
)
async def test_what_is_no_page(node: RunningNode, query: str) -> None:
    status, body = await node.get(f"{OF_ADA}?{query}")
    assert (status, body["error"]["code"]) == (400, "bad-request")
