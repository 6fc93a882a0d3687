"""A node's chain side on each kind of chain, behind endpoints with each habit of providers.

The same story everywhere: a license is anchored, a promised revocation is relayed, somebody revokes by
her own transaction. In the end the node knows all, has paid for two transactions, and proves it.
"""

from collections.abc import Awaitable, Callable, Iterator, Sized
from contextlib import suppress
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiohttp.test_utils import make_mocked_request
from eth_account import Account

from node.chain.anvil_world import PayingNode
from node.chain.matrix.habits import HABITS, Habit, NoProofs, provider
from node.chain.matrix.places import CHAINS, SETTLED_BLOCKS, Place
from node.chain.paying.test_on_anvil import EVERYTHING, Person, known
from sayso_contracts.registry.calls import Call
from sayso_node.api.http.route import PLACE
from sayso_node.api.http.shares import PROXIES
from sayso_node.api.routes.proofs import ProofRoutes
from sayso_node.chain.proofs.storage_proofs import StorageProofs
from sayso_node.chain.proofs.transaction_proofs import receipt_proof
from sayso_node.errors import ChainUnreachable, NotFound, ProofUnavailable
from sayso_node.sources import Proxies
from sayso_node.store import queues
from sayso_node.store.chain import chain_state, intents
from sayso_protocol.ethereum.chain_proofs import check_chain_proof
from sayso_protocol.ethereum.transaction_proofs import check_receipt_proof
from sayso_protocol.messages.envelope import Envelope, encode
from sayso_protocol.permissions.words import Masks
from sayso_protocol.primitives import address_from_text, hex_text
from support.held_bits import bits_of

ROUNDS = 240
CALM = {"chain-by-number"}  # the alarm of an endpoint that takes no hashes
ROUND_S = 2.0  # of the node's clock, at least
ETHER = 10**18
REVOKED: Masks = {EVERYTHING: 1}
_people = count(1_000)


class Story:
    """Three people, and a node on a chain."""

    def __init__(self, place: Place, node: PayingNode) -> None:
        self.place, self.node = place, node
        node.rig.intake._network = place.network
        self.relayed, self.alone, self.quiet = (Person(next(_people), place) for _ in range(3))
        self.paid_before, self.revoked_at = place.nonce(), 0

    async def until(self, what: Callable[[], bool], *steps: Callable[[], Awaitable[Any]]) -> None:
        """Let the node's parts take their turns, and blocks come, until something holds."""
        said = []
        for _ in range(ROUNDS):
            for step in (self.node.follower.read, *steps):
                try:
                    await step()
                except ChainUnreachable as error:  # the part tries again later, as it does in a node
                    said.append(str(error))
            if what():
                return
            self.place.mine()
            clock = self.node.rig.clock
            clock.time = max(clock.time + ROUND_S, self.place.time())
        raise AssertionError(f"not after {ROUNDS} rounds: {said[-3:]} {self.node.alarms.active()}")

    def is_settled(self) -> bool:
        with self.node.rig.store.read() as db:
            return not intents.open_intents(db) and not queues.lengths(db)["relays"]

    def knows(self, person: Person) -> bool:
        with self.node.rig.store.read() as db:
            return bits_of(db, person.address) == REVOKED

    def is_anchored(self) -> bool:
        with self.node.rig.store.read() as db:
            return chain_state.anchor_of(db, self.relayed.consent.digest) is not None

    async def anchor_and_relay(self) -> None:
        await known(self.node, [self.relayed], own=True)
        await self.node.promise(self.relayed.revocation())
        await self.until(self.is_settled, self.node.payer.step)
        assert self.place.bits(self.relayed.address, [EVERYTHING]) == [1]
        await self.until(self.is_anchored)
        assert self.place.nonce() - self.paid_before == 2
        assert sorted(kind for kind, _ in self.node.used()) == ["anchor", "relay"]

    async def revoke_alone(self) -> None:
        await known(self.node, [self.alone, self.quiet])
        account = Account.from_key(self.alone.key.secret)
        self.place.send(self.place.other, Call(account.address, b""), ETHER)
        self.place.send(account, self.place.calls.revoke_scopes(["everything"]))
        self.revoked_at = self.place.w3.eth.block_number
        await self.until(lambda: self.knows(self.alone))
        assert not self.knows(self.quiet)

    async def prove_transactions(self) -> None:
        """Who brought each revocation to the chain, checked by nothing but the chain's block hashes."""
        node_account = address_from_text(self.place.payer.address)
        for person, sender in ((self.relayed, node_account), (self.alone, self.alone.address)):
            envelope = person.revocation()
            await self.node.rig.give(envelope)
            found: list[dict[str, Any]] = []

            async def look(one: Envelope = envelope, into: list[dict[str, Any]] = found) -> None:
                await self.node.archivist.archive()
                into += self._proofs(one)

            await self.until(partial(_is_there, found), look)
            document = found[0]
            hashes = [self._hash_at(one["block"]["number"]) for one in document["landings"]]
            [landing] = check_receipt_proof(document, self.place.network, hashes).landings
            assert (landing.sender, landing.is_signed) == (sender, True)

    def _proofs(self, envelope: Envelope) -> list[dict[str, Any]]:
        """One, or none as yet."""
        try:
            with self.node.rig.store.read() as db:
                return [receipt_proof(db, self.place.network, encode(envelope))]
        except (NotFound, ProofUnavailable):
            return []

    def _hash_at(self, number: int) -> bytes:
        return bytes(self.place.w3.eth.get_block(number)["hash"])

    async def prove_storage(self) -> None:
        """Presence for one who revoked, absence for one who did not."""
        for person, expected in ((self.alone, ("everything",)), (self.quiet, ())):
            proved: dict[str, Any] = {}

            async def ask(one: Person = person, into: dict[str, Any] = proved) -> None:
                with suppress(ProofUnavailable):  # who asked tries again
                    found = await self._storage_proof(one.consent)
                    if found["block"]["number"] >= self.revoked_at:  # else a machine that lags has it
                        into.update(found)

            await self.until(partial(_is_there, proved), ask)
            block = proved["block"]
            found = check_chain_proof(proved, self.place.network, self._hash_at(block["number"]))
            assert found.revoked_by == expected

    async def prove_no_storage(self) -> None:
        """Without eth_getProof the answer is that there is no proof, and no other."""
        refusals = []

        async def ask() -> None:
            try:
                await self._storage_proof(self.quiet.consent)
            except ProofUnavailable as error:
                refusals.append(error)

        await self.until(lambda: bool(refusals), ask)

    async def _storage_proof(self, consent: Envelope) -> Any:
        rig, network = self.node.rig, self.place.network
        proofs = StorageProofs(self.node.endpoints, network.registry)
        routes = ProofRoutes(network, rig.store, rig.freshness, proofs)
        name, item = hex_text(consent.digest), hex_text(consent.items[0])
        purpose = consent.message.purposes[0]  # type: ignore[attr-defined]
        path = f"/v1/licenses/{name}/proof?item={item}&purpose={purpose}"
        asked = make_mocked_request("GET", path)
        asked[PLACE], asked[PROXIES] = {"license": name}, Proxies(())
        return msgspec.to_builtins(await routes.proof(asked))

    async def is_up_to_date(self) -> None:
        """In the end the node is at the head, speaks, and has nothing to complain of."""
        self.place.set_time(self.node.rig.clock.time)
        await self.until(self._is_at_the_head)

    def _is_at_the_head(self) -> bool:
        with self.node.rig.store.read() as db:
            cursor = chain_state.newest(db)
        head = self.place.w3.eth.block_number
        is_quiet = self.node.rig.freshness.view(self.node.rig.clock.now(), 600).silence is None
        is_calm = set(self.node.alarms.active()) <= CALM
        return cursor is not None and head - cursor.number <= SETTLED_BLOCKS and is_quiet and is_calm


def _is_there(found: Sized) -> bool:
    return len(found) > 0


async def tell(place: Place, tmp_path: Path, *kinds: type[Habit]) -> list[Habit]:
    """The whole story on a chain, behind these habits, which are returned."""
    made: list[Habit] = []
    place.settle()  # so that what came before is known everywhere
    async with provider(place.url, made) as between:
        node = PayingNode(
            tmp_path, [between.url], place.network, payer=place.payer, deploy_block=place.deploy_block
        )
        made += [kind(node.rig.clock.now) for kind in kinds]
        async with node:
            story = Story(place, node)
            await story.anchor_and_relay()
            await story.revoke_alone()
            await story.prove_transactions()
            if NoProofs in kinds:
                await story.prove_no_storage()
            else:
                await story.prove_storage()
            await story.is_up_to_date()
            assert place.nonce() - story.paid_before == 2
    return made


@pytest.fixture(scope="module")
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    with CHAINS[request.param]() as found:
        yield found


QUIET = {"none", "no finalized"}  # habits that nothing of ours asks for


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("habit", HABITS)
@pytest.mark.parametrize("place", CHAINS, indirect=True)
async def test_the_story_on_each_chain_behind_each_habit(
    place: Place, tmp_path: Path, habit: str
) -> None:
    [made] = await tell(place, tmp_path, HABITS[habit])
    assert made.did or habit in QUIET


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("place", CHAINS, indirect=True)
async def test_the_story_on_each_chain_behind_all_habits(place: Place, tmp_path: Path) -> None:
    made = await tell(place, tmp_path, *(kind for name, kind in HABITS.items() if name not in QUIET))
    assert all(one.did for one in made), [type(one).__name__ for one in made if not one.did]


@pytest.mark.parametrize("place", ["optimism"], indirect=True)
async def test_the_story_in_short(place: Place, tmp_path: Path) -> None:
    """The chain with the strangest blocks, behind all habits at once that let it be told to the end."""
    told = [kind for name, kind in HABITS.items() if name not in {*QUIET, "no getProof"}]
    made = await tell(place, tmp_path, *told)
    assert all(one.did for one in made), [type(one).__name__ for one in made if not one.did]


@pytest.mark.parametrize("place", ["development"], indirect=True)
async def test_the_story_on_our_own_chain(place: Place, tmp_path: Path) -> None:
    await tell(place, tmp_path, Habit)
