"""The consents that rows rely on are fetched from a node, and no others."""

from itertools import count
from pathlib import Path
from typing import Any

import pytest

from sayso.errors import BadAnswer
from sayso.gate.fetching import Fetcher
from sayso.node_client import client as client_module
from sayso.node_client.client import NodeClient
from sayso_node.api.routes import licenses
from sayso_node.api.schema.values import Claims, ListedClaim
from sayso_protocol.messages.envelope import Envelope
from sayso_protocol.primitives import address_text, hex_text
from sayso_protocol.receipts.receipt import join_rows
from sayso_protocol.verdicts.verdict import Row
from support.protocol_strategies import ADA, BEN, CLEO, a_consent, item_hashes, signed
from support.running_node import running_node
from support.snapshots import TRUSTED

ITEMS = item_hashes(3)
PAIR = tuple(sorted((ADA, BEN)))


def shared(contributor: bytes, parties: tuple[bytes, ...], days: int = 0) -> Envelope:
    ends = 1_760_000_000 + days
    message = a_consent(ITEMS, contributor=contributor, parties=parties, expires_at=ends)
    return signed(message, ITEMS)


async def test_claims_of_strangers_are_not_fetched(tmp_path: Path) -> None:
    mine, hers = shared(ADA, PAIR), [shared(BEN, PAIR), shared(BEN, PAIR, 1)]
    everybody = tuple(sorted((ADA, BEN, CLEO)))
    strangers = [shared(CLEO, who, days) for who in ((CLEO,), everybody) for days in range(60)]
    async with running_node(tmp_path) as node:
        await node.submit(mine, *hers, *strangers)
        async with NodeClient(node.url, node.node._config.network_file) as client:
            fetcher = Fetcher(client)
            rows = join_rows([Row(mine.digest, item) for item in ITEMS])
            await fetcher.fetch(rows)
            await fetcher.fetch(rows)
    assert fetcher.found.keys() == {one.digest for one in (mine, *hers)}
    assert not fetcher.lacks(rows)


async def test_a_person_with_many_licenses_sees_all_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who had more than a page of them could list none, and revoke no scope by command."""
    monkeypatch.setattr(licenses, "PERMISSIONS", 2)
    held = [shared(ADA, (ADA,), days) for days in range(5)]
    async with running_node(tmp_path) as node:
        await node.submit(*held)
        async with NodeClient(node.url, node.node._config.network_file) as client:
            found = await client.licenses_of(ADA)
    assert [one.hash for one in found] == [one.digest for one in held]


async def test_what_a_party_did_not_sign_is_lacking(tmp_path: Path) -> None:
    mine, strange = shared(ADA, PAIR), shared(BEN, (BEN,))
    async with running_node(tmp_path) as node:
        await node.submit(mine, strange)
        async with NodeClient(node.url, node.node._config.network_file) as client:
            fetcher = Fetcher(client)
            rows = join_rows([Row(mine.digest, ITEMS[0])])
            await fetcher.fetch(rows)
    assert fetcher.found.keys() == {mine.digest}
    assert fetcher.lacks(rows)


@pytest.mark.parametrize("are_new", [False, True])
async def test_claims_without_end_are_refused(monkeypatch: pytest.MonkeyPatch, are_new: bool) -> None:
    """Neither pages that say the same again nor ever more licenses keep a buyer for ever."""
    monkeypatch.setattr(client_module, "LONGEST_LIST", 16)
    client, pages = NodeClient("http://127.0.0.1:1", TRUSTED), count()

    async def get(path: str, _kind: type[Any]) -> Any:
        number = next(pages)
        assert number < 50, f"asked again and again: {path}"
        name, who = hex_text((number if are_new else 0).to_bytes(32)), address_text(ADA)
        claim = ListedClaim(name, who, [], who, "", [], [], 0, 0, 1, 1)
        return Claims(False, [claim], str(number))

    monkeypatch.setattr(client._transport, "get", get)
    monkeypatch.setattr(client, "_info", object())
    with pytest.raises(BadAnswer, match="no end"):
        await client.claims(ITEMS[0], ITEMS[1])
