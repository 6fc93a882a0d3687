"""Anchors and relays on a real chain: keys, contract wallets, what is refused, forks, gas."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pytest
from coincurve import PrivateKey

from node.chain.anvil_world import PayingNode, Registry
from sayso_contracts.relay import relay_item
from sayso_node.store.chain import intents
from sayso_protocol.messages.envelope import Envelope, encode
from sayso_protocol.messages.message import as_kind
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.messages.typed_data import digest
from sayso_protocol.network import Network
from sayso_protocol.permissions.scopes import scope_word
from sayso_protocol.primitives import keccak
from support.anvil import anvil
from support.protocol_strategies import NODE, a_consent, address_of, item_hashes, sign_digest
from support.relaying import gas_bound
from support.waiting import DEADLINE_S

EVERYTHING = scope_word("everything")
CAP = 16_777_216
BUSY_S = 120.0  # in which an EVM on a busy machine estimates a full relay


@pytest.fixture
def registry() -> Iterator[Registry]:
    with anvil() as url:
        registry = Registry(url)
        registry.url = url  # type: ignore[attr-defined]
        yield registry


def url_of(registry: Registry) -> str:
    url: str = registry.url  # type: ignore[attr-defined]
    return url


class OnChain(Protocol):
    """A registry on a network."""

    network: Network


class Person:
    """Somebody with a key, a consent and a revocation of everything."""

    def __init__(self, number: int, registry: OnChain) -> None:
        self.key = PrivateKey(keccak(b"person %d" % number))
        self.address = address_of(self.key)
        self.network = registry.network
        items = item_hashes(1, number)
        given = a_consent(items, contributor=self.address, parties=(self.address,))
        signature = sign_digest(self.key, digest(given, self.network))
        self.consent = Envelope(given, self.network, signature, items)

    def revocation(self, *scopes: str) -> Envelope:
        message = Revocation(self.address, scopes or ("everything",))
        return Envelope(message, self.network, sign_digest(self.key, digest(message, self.network)))


def node(folder: Path, registry: Registry, timeout_s: float = 5.0) -> PayingNode:
    paying = PayingNode(folder, [url_of(registry)], registry.network, timeout_s=timeout_s)
    paying.rig.intake._network = registry.network
    return paying


async def known(paying: PayingNode, people: list[Person], *, own: bool = False) -> None:
    for start in range(0, len(people), 500):
        some = [one.consent for one in people[start : start + 500]]
        given = some if own else [one.sponsored_by(NODE) for one in some]
        for outcome in await paying.rig.give(*given):
            assert outcome.error is None


def transactions(paying: PayingNode, kind: str) -> list[tuple[int, int]]:
    """Gas used, and items, of what was carried out."""
    with paying.rig.store.read() as db:
        return db.execute(
            "SELECT hash, (SELECT count(*) FROM relay_items WHERE relay_items.intent = intents.id)"
            " FROM transactions JOIN intents ON intents.id = intent WHERE kind = ?",
            (kind,),
        ).fetchall()


async def test_many_people_in_one_relay_and_a_wrong_one_hinders_nobody(
    registry: Registry, tmp_path: Path
) -> None:
    people = [Person(number, registry) for number in range(12)]
    async with node(tmp_path, registry) as paying:
        await known(paying, people)
        await paying.promise(*(one.revocation() for one in people))
        bad = people[3].revocation()
        with paying.rig.store.read() as db:
            assert intents.open_intents(db) == []
        body = encode(bad).replace(bad.signature[:32], b"\x01" * 32)
        spoil = "UPDATE messages SET body = ? WHERE digest = ?"  # as if a wallet had changed its mind
        await paying.rig.store.write(lambda db: db.execute(spoil, (body, bad.digest)).rowcount)
        for _ in range(8):
            await paying.follower.read()
            await paying.payer.step()
            registry.ask("anvil_mine")
        landed = [registry.bits(one.address, [EVERYTHING])[0] for one in people]
        assert landed == [1, 1, 1, 0] + [1] * 8
        assert "relay-rejected" in paying.alarms.active()
        assert "InvalidSignature" in paying.alarms.active()["relay-rejected"]
        assert [kind for kind, _ in paying.used()] == ["relay"]


async def test_what_a_fork_drops_is_relayed_again(registry: Registry, tmp_path: Path) -> None:
    people = [Person(number, registry) for number in range(2)]
    async with node(tmp_path, registry) as paying:
        await known(paying, people, own=True)
        await paying.promise(people[0].revocation())
        await paying.follower.read()
        async with asyncio.timeout(DEADLINE_S):
            while registry.bits(people[0].address, [EVERYTHING]) != [1]:  # the anchor, then the relay
                await paying.payer.step()
        await paying.payer.step()
        await paying.follower.read()
        registry.ask("anvil_reorg", 2, [])  # anvil forgets what was in them
        assert registry.bits(people[0].address, [EVERYTHING]) == [0]
        await paying.drain(registry)
        assert registry.bits(people[0].address, [EVERYTHING]) == [1]
        assert paying.rig.count("chain_reorgs") >= 1
        nonce = registry.w3.eth.get_transaction_count(registry.w3.eth.accounts[0])
        assert nonce == len(paying.used()) == 2


async def test_the_gas_of_a_relay_is_not_more_than_was_reckoned(
    registry: Registry, tmp_path: Path
) -> None:
    """What one message takes is reckoned too high, never too low: see sayso_contracts.relay."""
    people = [Person(number, registry) for number in range(40)]
    async with node(tmp_path, registry) as paying:
        await known(paying, people)
        await paying.promise(*(one.revocation() for one in people[:20]))
        many = [f"everything for purpose-{number}" for number in range(16)]
        await paying.promise(*(one.revocation(*many) for one in people[20:]))
        sent = [one.revocation() for one in people[:20]]
        sent += [one.revocation(*many) for one in people[20:]]
        reckoned = gas_bound(
            relay_item(as_kind(one.message, Revocation), one.network.chain_id, one.signature)
            for one in sent
        )
        await paying.drain(registry)
        [(tx_hash, count)] = transactions(paying, "relay")
        assert count == 40
        used = registry.w3.eth.get_transaction_receipt(tx_hash)["gasUsed"]  # type: ignore[arg-type]
        assert 0.5 * reckoned < used <= reckoned <= CAP


@pytest.mark.long
async def test_ten_thousand_consents_and_ten_thousand_revocations(
    registry: Registry, tmp_path: Path
) -> None:
    count = 10_000
    people = [Person(number, registry) for number in range(count)]
    async with node(tmp_path, registry, BUSY_S) as paying:
        await known(paying, people, own=True)
        for start in range(0, count, 500):
            await paying.promise(*(one.revocation() for one in people[start : start + 500]))
        await paying.drain(registry, 400)
        for person in people:
            assert registry.bits(person.address, [EVERYTHING]) == [1]
        report = {}
        for kind in ("anchor", "relay"):
            receipts = [
                registry.w3.eth.get_transaction_receipt(tx_hash)  # type: ignore[arg-type]
                for tx_hash, _ in transactions(paying, kind)
            ]
            assert all(one["status"] == 1 and one["gasUsed"] <= CAP for one in receipts)
            report[kind] = sum(one["gasUsed"] for one in receipts) / count, len(receipts)
        with paying.rig.store.read() as db:
            [(items, different)] = db.execute("SELECT count(*), count(DISTINCT digest) FROM relay_items")
        assert items == different == count
        nonce = registry.w3.eth.get_transaction_count(registry.w3.eth.accounts[0])
        assert nonce == report["anchor"][1] + report["relay"][1]
        print(report)  # noqa: T201 - gas for each license, and transactions
