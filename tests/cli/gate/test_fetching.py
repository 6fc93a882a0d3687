"""The consents that rows rely on are fetched from a node, and no others."""

from pathlib import Path

from sayso.gate.fetching import Fetcher
from sayso.node_client.client import NodeClient
from sayso_protocol.messages.envelope import Envelope
from sayso_protocol.receipts.receipt import join_rows
from sayso_protocol.verdicts.verdict import Row
from support.protocol_strategies import ADA, BEN, CLEO, a_consent, item_hashes, signed
from support.running_node import running_node

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
