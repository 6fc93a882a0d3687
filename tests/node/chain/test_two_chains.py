"""One signature stops both: two registries at one address on two chains, and a node on each."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from node.chain.anvil_world import PayingNode, Registry
from sayso_protocol.errors import WrongNetwork
from sayso_protocol.messages.envelope import Envelope, decode, encode
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.network import Network
from sayso_protocol.permissions.scopes import scope_word
from support.anvil import anvil
from support.protocol_strategies import ADA, BEN, NODE, a_consent, item_hashes, signed

HERE, THERE = 31_337, 8_453
EVERYTHING = scope_word("everything")


@pytest.fixture
def chains() -> Iterator[dict[int, tuple[str, Registry]]]:
    with ExitStack() as both:
        urls = {chain_id: both.enter_context(anvil(chain_id=chain_id)) for chain_id in (HERE, THERE)}
        yield {chain_id: (url, Registry(url)) for chain_id, url in urls.items()}


def node(folder: Path, url: str, registry: Registry) -> PayingNode:
    folder.mkdir(exist_ok=True)
    paying = PayingNode(folder, [url], registry.network)
    paying.rig.intake._network = registry.network
    return paying


def consent(contributor: bytes, network: Network) -> Envelope:
    items = item_hashes(1)
    given = a_consent(items, contributor=contributor, parties=(contributor,))
    return signed(given, items, network).sponsored_by(NODE)


async def test_one_signature_stops_two_chains(
    chains: dict[int, tuple[str, Registry]], tmp_path: Path
) -> None:
    home = chains[HERE][1].network
    assert chains[THERE][1].network == Network(THERE, home.registry)
    stops = [
        encode(signed(Revocation(ADA, ("everything",)), network=home)),
        encode(signed(Revocation(BEN, ("everything",)), network=Network(1, home.registry))),
    ]
    for chain_id, (url, registry) in chains.items():
        async with node(tmp_path / str(chain_id), url, registry) as paying:
            given = [consent(who, registry.network) for who in (ADA, BEN)]
            assert not [one.error for one in await paying.rig.give(*given) if one.error]
            await paying.promise(*(decode(one, registry.network) for one in stops))
            assert [registry.bits(who, [EVERYTHING]) for who in (ADA, BEN)] == [[0], [0]]
            await paying.drain(registry)
            assert [registry.bits(who, [EVERYTHING]) for who in (ADA, BEN)] == [[1], [1]]
            assert [kind for kind, _ in paying.used()] == ["relay"]
            assert paying.alarms.active() == {}


async def test_the_consent_of_one_chain_is_none_on_the_other(
    chains: dict[int, tuple[str, Registry]], tmp_path: Path
) -> None:
    (_, here), (url, there) = chains[HERE], chains[THERE]
    async with node(tmp_path, url, there) as paying:
        [outcome] = await paying.rig.give(consent(ADA, here.network))
        assert isinstance(outcome.error, WrongNetwork)
