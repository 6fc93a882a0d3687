"""Who brought a revocation to the chain, and when: kept while it is fresh, from a real chain."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account

from node.chain.anvil_world import PayingNode, Registry
from node.chain.paying.test_on_anvil import Person, known
from node.chain.proxies import Proxy, proxy
from sayso_contracts.registry.calls import Calls
from sayso_node.chain.proofs.transaction_proofs import receipt_proof
from sayso_node.chain.rpc.web3_chain import Web3Chain
from sayso_node.errors import NotFound, ProofUnavailable
from sayso_node.store.chain import archives
from sayso_protocol.ethereum.transaction_proofs import LandedRevocation, check_receipt_proof
from sayso_protocol.messages.envelope import Envelope, encode
from sayso_protocol.primitives import address_from_text, hash_from_text
from support.anvil import RICH_KEY, anvil
from support.waiting import until

NODE_ACCOUNT = address_from_text(Account.from_key(RICH_KEY).address)
ETHER = 10**18


class World:
    """A chain and a person on it who has money."""

    def __init__(self, url: str, number: int = 1) -> None:
        self.url, self.registry = url, Registry(url)
        self.person = Person(number, self.registry)
        self.account = Account.from_key(self.person.key.secret)
        self.registry.ask("anvil_setBalance", self.account.address, hex(ETHER))
        self.calls = Calls(self.registry.contract.address)

    def by_herself(self, data: bytes, kind: dict[str, Any]) -> bytes:
        """Sends a transaction of the person's; returns its hash."""
        w3 = self.registry.w3
        what: dict[str, Any] = {
            "chainId": w3.eth.chain_id,
            "nonce": w3.eth.get_transaction_count(self.account.address),
            "to": self.calls.address,
            "value": 0,
            "gas": 200_000,
            "data": data,
        }
        signed = self.account.sign_transaction(what | kind)
        return bytes(w3.eth.send_raw_transaction(signed.raw_transaction))

    def noise(self, count: int) -> None:
        """Transactions of others that wait for a block."""
        for _ in range(count):
            gift: Any = {"from": self.registry.rich, "to": self.account.address, "value": 1}
            self.registry.w3.eth.send_transaction(gift)


@pytest.fixture
def world() -> Iterator[World]:
    with anvil() as url:
        yield World(url)


def node(folder: Path, world: World, *urls: str) -> PayingNode:
    paying = PayingNode(folder, urls or [world.url], world.registry.network)
    paying.rig.intake._network = world.registry.network
    return paying


def prove(paying: PayingNode, world: World, envelope: Envelope) -> LandedRevocation:
    """What the node gives away, checked as a stranger would."""
    with paying.rig.store.read() as db:
        document = receipt_proof(db, world.registry.network, encode(envelope))
    blocks = [hash_from_text(one["block"]["hash"]) for one in document["landings"]]
    for one in document["landings"]:
        height = one["block"]["number"]
        found = world.registry.w3.eth.get_block(height)["hash"]
        assert bytes(found) == hash_from_text(one["block"]["hash"])
    return check_receipt_proof(document, world.registry.network, blocks)


async def read(paying: PayingNode) -> None:
    await paying.follower.read()
    await paying.archivist.archive()


async def relayed(paying: PayingNode, world: World, *scopes: str) -> Envelope:
    """A revocation that the node has relayed."""
    envelope = world.person.revocation(*scopes)
    await known(paying, [world.person])
    await paying.promise(envelope)
    await paying.drain(world.registry)
    return envelope


KINDS: dict[str, dict[str, Any]] = {
    "plain": {"gasPrice": 3 * 10**9},
    "with an access list": {
        "type": 1,
        "gasPrice": 3 * 10**9,
        "accessList": [{"address": "0x" + "12" * 20, "storageKeys": ["0x" + "34" * 32]}],
    },
    "with fees": {"type": 2, "maxFeePerGas": 3 * 10**9, "maxPriorityFeePerGas": 10**9},
}


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
async def test_who_and_when_of_a_relay_and_of_ones_own_transaction(
    world: World, tmp_path: Path, kind: dict[str, Any]
) -> None:
    registry = world.registry
    async with node(tmp_path, world) as paying:
        registry.ask("evm_setAutomine", False)
        world.noise(3)
        own = world.by_herself(world.calls.revoke_scopes(["everything for resale"]).data, kind)
        world.noise(2)
        registry.ask("anvil_mine")
        registry.ask("evm_setAutomine", True)
        envelope = await relayed(paying, world, "everything for resale", "everything")
        await read(paying)
        found = prove(paying, world, envelope)
        assert found.contributor == world.person.address
        assert [one.sender for one in found.landings] == [world.person.address, NODE_ACCOUNT]
        first, second = found.landings
        receipt = registry.w3.eth.get_transaction_receipt(own)  # type: ignore[arg-type]
        block = registry.w3.eth.get_block(receipt["blockNumber"])
        assert (first.tx_hash, first.place) == (own, receipt["transactionIndex"])
        assert (first.number, first.time) == (block["number"], block["timestamp"])
        assert len(block["transactions"]) > 3
        assert len(first.bits) == len(second.bits) == 1
        assert paying.rig.count("receipts_kept") == 2


async def test_what_is_not_on_chain_has_no_proof_and_a_fork_takes_it_away(
    world: World, tmp_path: Path
) -> None:
    async with node(tmp_path, world) as paying:
        envelope = world.person.revocation()
        await known(paying, [world.person])
        await paying.promise(envelope)
        with pytest.raises(NotFound):
            prove(paying, world, envelope)
        await paying.follower.read()
        head = world.registry.w3.eth.block_number
        await paying.payer.step()
        await until(lambda: world.registry.w3.eth.block_number > head)
        await paying.follower.read()
        with pytest.raises(ProofUnavailable):  # not yet
            prove(paying, world, envelope)
        await paying.archivist.archive()
        [before] = prove(paying, world, envelope).landings
        world.registry.ask("anvil_reorg", 1, [])
        world.registry.ask("anvil_mine")
        await read(paying)
        with pytest.raises(NotFound):
            prove(paying, world, envelope)
        await paying.drain(world.registry)
        await read(paying)
        [after] = prove(paying, world, envelope).landings
        assert after.number > before.number
        assert after.tx_hash == before.tx_hash  # the same bytes, sent again


def other_value(answer: Any) -> None:
    answer["transactions"][0]["value"] = "0x1"


def other_time(answer: Any) -> None:
    answer["timestamp"] = "0x1"


def no_transactions(answer: Any) -> None:
    answer["transactions"] = []


def other_kind(answer: Any) -> None:
    answer["transactions"][0]["type"] = "0x7e"


def nonsense(answer: Any) -> None:
    answer["transactions"] = 7


LIES = {one.__name__: one for one in (other_value, other_time, no_transactions, other_kind, nonsense)}


class Liar(Proxy):
    """Changes what it answers about whole blocks, or lacks methods."""

    lie: Callable[[Any], None] | None = None
    lacks: frozenset[str] = frozenset()

    async def _forward(self, question: Any) -> Any:
        if question["method"] in self.lacks:
            return {"id": question["id"], "error": {"code": -32601, "message": "no such method"}}
        answer = await super()._forward(question)
        if question["method"] == "eth_getBlockByHash" and question["params"][1] and self.lie:
            self.lie(answer["result"])
        return answer


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES)
async def test_what_a_liar_says_is_not_kept_and_the_next_one_is_asked(
    world: World, tmp_path: Path, lie: Callable[[Any], None]
) -> None:
    async with proxy(world.url, Liar) as liar, node(tmp_path, world, liar.url) as paying:
        assert isinstance(liar, Liar)
        liar.lie = lie
        envelope = await relayed(paying, world, "everything")
        await paying.archivist.archive()
        with pytest.raises(ProofUnavailable):
            prove(paying, world, envelope)
        assert paying.rig.count("receipts_missing") == 1
        await paying.archivist.archive()  # not at once again
        assert paying.rig.count("receipts_missing") == 1
        paying.rig.clock.time += archives.ARCHIVE_PAUSE_MIN_S
        honest = Web3Chain(world.url, world.registry.network)
        paying.endpoints.all += (honest,)
        await paying.archivist.archive()
        assert len(prove(paying, world, envelope).landings) == 1


async def test_an_endpoint_that_gives_receipts_one_by_one(world: World, tmp_path: Path) -> None:
    async with proxy(world.url, Liar) as plain, node(tmp_path, world, plain.url) as paying:
        assert isinstance(plain, Liar)
        plain.lacks = frozenset({"eth_getBlockReceipts"})
        envelope = await relayed(paying, world, "everything")
        await paying.archivist.archive()
        assert len(prove(paying, world, envelope).landings) == 1
        other = Person(2, world.registry)
        await known(paying, [other])
        await paying.promise(other.revocation())
        await paying.drain(world.registry)
        plain.lacks = frozenset({"eth_getBlockReceipts", "eth_getTransactionReceipt"})
        await paying.archivist.archive()
        assert paying.rig.count("receipts_missing") == 1


async def test_everything_of_a_block_is_looked_at_once(world: World, tmp_path: Path) -> None:
    registry = world.registry
    async with node(tmp_path, world) as paying:
        registry.ask("evm_setAutomine", False)
        for scope in ("a", "b", "c"):
            data = world.calls.revoke_scopes([f"everything for {scope}"]).data
            call: Any = {"from": registry.rich, "to": world.calls.address, "data": data}
            registry.w3.eth.send_transaction(call)
        registry.ask("anvil_mine")
        height = registry.w3.eth.block_number
        await read(paying)
        await read(paying)
        with paying.rig.store.read() as db:
            archive = archives.archived(db, height)
            assert archives.wanted(db, paying.rig.clock.now(), 10) == []
        assert archive
        assert [one.place for one in archive.transactions] == [0, 1, 2]
        assert paying.rig.count("receipts_kept") == 3
