"""A person's licenses come whole, in pages: no command asks for each of them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sayso.contributor.planning import Wish, make_plan
from sayso.errors import BadAnswer
from sayso.node_client import client as client_module
from sayso.node_client.client import NodeClient
from sayso_node.api.routes import licenses
from sayso_node.api.schema import values
from sayso_protocol.primitives import hex_text
from support.protocol_strategies import ADA, BEN, CLEO, a_consent, item_hashes, signed
from support.running_node import RunningNode, running_node
from support.snapshots import TRUSTED

ITEMS = item_hashes(2)
TERMS = [("kled.ai", BEN), ("kled.ai", CLEO), ("b.ai", CLEO), ("c.ai", BEN)]
HELD = [signed(a_consent(ITEMS, via=via, grantee=to), ITEMS) for via, to in TERMS]


async def asking(node: RunningNode, monkeypatch: pytest.MonkeyPatch) -> tuple[NodeClient, list[str]]:
    """A client of a node, and what it asks for."""
    client, asked = NodeClient(node.url, node.node._config.network_file), list[str]()
    get = client._transport.get

    async def noted(path: str, kind: type[Any]) -> Any:
        asked.append(path)
        return await get(path, kind)

    monkeypatch.setattr(client._transport, "get", noted)
    return client, asked


@pytest.mark.parametrize(
    ("sentence", "hits"),
    [
        ("everything", [0, 1, 2, 3]),
        (f"file {hex_text(ITEMS[0])}", [0, 1, 2, 3]),
        ("via b.ai", [2]),
        ("via no.ai", []),
        (f"to {hex_text(CLEO)}", [1, 2]),
        (f"statement {hex_text(ITEMS[0])}", []),
    ],
)
async def test_a_plan_asks_for_pages_and_never_for_a_license(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sentence: str, hits: list[int]
) -> None:
    """With thousands of licenses, `sayso revoke everything` sent thousands of requests.

    The node sends only what the scope can hit, and is asked nothing to withdraw a statement.
    """
    async with running_node(tmp_path) as node:
        await node.submit(*HELD)
        whole, asked = await asking(node, monkeypatch)
        async with whole as client:
            plan = await make_plan(Wish(sentence), ADA, client)
    assert [one.hash for one, _ in plan.hits or ()] == [HELD[at].digest for at in hits]
    assert all(count for _, count in plan.hits or ())
    assert len(asked) == (0 if sentence.startswith("statement") else 2)  # the node, and one page
    assert not [path for path in asked if path.startswith("/v1/licenses/")]


async def test_a_page_ends_with_what_the_node_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page may have no license of the marketplace, and the list goes on behind it."""
    monkeypatch.setattr(licenses, "PERMISSIONS", 1)
    async with running_node(tmp_path) as node:
        await node.submit(*HELD)
        whole, asked = await asking(node, monkeypatch)
        async with whole as client:
            found = await client.licenses_of(ADA, via="c.ai")
    assert [one.hash for one in found] == [HELD[3].digest]
    assert len(asked) == 1 + len(HELD)


async def test_empty_pages_without_end_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "EMPTY_PAGES", 16)
    numbers: Iterator[int] = iter(range(50))
    client = NodeClient("http://127.0.0.1:1", TRUSTED)

    async def get(_path: str, _kind: type[Any]) -> values.Licenses:
        return values.Licenses([], str(next(numbers)))

    monkeypatch.setattr(client._transport, "get", get)
    monkeypatch.setattr(client, "_info", object())
    with pytest.raises(BadAnswer, match="no end"):
        await client.licenses_of(ADA)
