"""A wallet that does not exist yet is deployed before it is relayed, within bounds (ERC-6492)."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from node.chain.paying.rig import ALLOWANCE, WAIT_S, Paying
from sayso_node.chain.paying.fees import ETHER, GWEI, Allowance
from sayso_node.chain.paying.wallet_deployer import BUDGET_PART
from sayso_node.store.chain import deployments
from sayso_node.store.chain.relays import RELAY_PAUSE_MIN_S
from sayso_protocol.messages.envelope import Envelope
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.permissions.scopes import scope_word
from sayso_protocol.receipts.receipt import ChainPoint
from sayso_protocol.signatures.contract_wallets import WalletProof, wrap
from support.fake_account import wallet_of
from support.node_rig import consent, revocation
from support.protocol_strategies import ADA, NETWORK, NODE, a_consent, item_hashes

FACTORY = b"\xfa" * 20
EVERYTHING = {scope_word("everything"): 1}


class Accepts:
    """Every wallet accepts everything."""

    async def created(self, code: bytes, gas: int, block: ChainPoint) -> bytes:
        return (1).to_bytes(32)


def wallet(number: int) -> bytes:
    return bytes([0xC0, number]) * 10


def revoked_by(number: int, scope: str = "everything") -> Envelope:
    signature = wrap(WalletProof(b"own", FACTORY, b"create %d" % number))
    return Envelope(Revocation(wallet(number), (scope,)), NETWORK, signature)


def make(folder: Path, allowance: Allowance = ALLOWANCE) -> Paying:
    return Paying(folder, allowance, Accepts())


@pytest.fixture
def paying(tmp_path: Path) -> Iterator[Paying]:
    paying = make(tmp_path)
    yield paying
    paying.close()


async def promised(paying: Paying, *numbers: int) -> None:
    """Wallets that do not exist have revoked, and this node acknowledged it."""
    await paying.block()  # so that wallets can be asked
    for number in numbers:
        who, items = wallet(number), item_hashes(1, number)
        given = a_consent(items, contributor=who, parties=(who,))
        signature = wrap(WalletProof(b"own", FACTORY, b"create"))
        [taken] = await paying.rig.give(Envelope(given, NETWORK, signature, items).sponsored_by(NODE))
        assert taken.error is None
        paying.account.undeployed.add(who)
        await paying.promise(revoked_by(number))


def deployed(paying: Paying) -> list[bytes]:
    """Whose deployments were paid for, in order."""
    return [wallet_of(one.data) for one in paying.account.mined() if one.creates]


def waiting(paying: Paying) -> int:
    with paying.rig.store.read() as db:
        [(count,)] = db.execute("SELECT count(*) FROM deployments")
    assert isinstance(count, int)
    return count


async def blocks(paying: Paying, count: int, seconds: float = WAIT_S) -> None:
    for _ in range(count):
        paying.rig.clock.time += seconds
        await paying.block()
        await paying.steps(2)


async def test_it_is_deployed_first_and_once(paying: Paying) -> None:
    await promised(paying, 1, 2)
    await paying.drain()
    assert deployed(paying) == [wallet(1), wallet(2)]
    assert paying.bits(wallet(1)) == paying.bits(wallet(2)) == EVERYTHING
    assert paying.rig.count("relay_rejected") == 0
    assert waiting(paying) == 0
    await paying.promise(revoked_by(1, "everything for resale"))
    await paying.drain()
    assert deployed(paying) == [wallet(1), wallet(2)]
    assert len(paying.bits(wallet(1))) == 2


async def test_keys_do_not_wait_for_wallets(paying: Paying) -> None:
    await promised(paying, 1)
    await paying.rig.give(consent(9))
    await paying.promise(revocation("everything"))
    paying.rig.clock.time += WAIT_S
    await paying.steps(2)
    paying.chain.mine()
    assert paying.bits(ADA) == EVERYTHING
    assert paying.bits(wallet(1)) == {}
    await paying.drain()
    assert paying.bits(wallet(1)) == EVERYTHING


async def test_one_that_somebody_else_deployed_costs_nothing(paying: Paying) -> None:
    await promised(paying, 1)
    paying.account.money = 0  # found out, and not paid
    await blocks(paying, 1)
    assert waiting(paying) == 1
    paying.account.undeployed.clear()
    paying.account.money = 10**20
    with paying.rig.store.read() as db:
        assert deployments.whose_turn(db, paying.rig.clock.now()) is None  # the intent is open
    await paying.drain()
    assert paying.bits(wallet(1)) == EVERYTHING
    assert waiting(paying) == 0
    await promised(paying, 2)
    paying.account.undeployed.clear()
    await paying.drain()
    assert deployed(paying) == [wallet(1)]  # it was under way already


async def test_what_a_fork_drops_is_deployed_again_before_the_relay(paying: Paying) -> None:
    await promised(paying, 1)
    await blocks(paying, 3)
    assert paying.bits(wallet(1)) == EVERYTHING
    paying.chain.drop(3)
    assert paying.account.deployed == {}
    await paying.drain()
    assert paying.bits(wallet(1)) == EVERYTHING
    assert deployed(paying) == [wallet(1)]
    assert paying.relayed() == 2  # of the two transactions, once each: a creation has data, too


@pytest.mark.parametrize("estimates_well", [True, False])
async def test_a_factory_that_does_nothing_is_loud_and_tried_ever_later(
    paying: Paying, estimates_well: bool
) -> None:
    await promised(paying, 1)
    paying.account.no_wallets.add(wallet(1))
    paying.account.estimates_well = estimates_well
    await blocks(paying, 12)
    assert paying.rig.count("wallets_not_deployed") == 1
    assert "wallet-not-deployed" in paying.alarms.active()
    assert len(deployed(paying)) == (not estimates_well)  # who estimates well pays nothing
    assert paying.bits(wallet(1)) == {}
    await blocks(paying, 16, RELAY_PAUSE_MIN_S / 8)
    assert paying.rig.count("wallets_not_deployed") == 2
    await blocks(paying, 5, RELAY_PAUSE_MIN_S / 10)
    assert paying.rig.count("wallets_not_deployed") == 2  # twice as long from now on
    paying.account.no_wallets.clear()
    await paying.drain()
    assert paying.bits(wallet(1)) == EVERYTHING
    assert paying.alarms.active() == {}


async def test_deployments_get_a_part_of_the_budget_only(tmp_path: Path) -> None:
    budget = ETHER // 100
    paying = make(tmp_path, Allowance(200 * GWEI, budget, 0))
    try:
        await promised(paying, *range(1, 20))
        await paying.rig.give(consent(1))
        await blocks(paying, 100, 1)
        paid = deployed(paying)
        assert 0 < len(paid) < 19
        with paying.rig.store.read() as db:
            [(cost,)] = db.execute("SELECT sum(cost) FROM intents WHERE kind = 'deploy'")
        assert budget // BUDGET_PART <= cost < 1.2 * budget / BUDGET_PART  # the last may go over it
        assert list(paying.alarms.active()) == ["wallet-budget-spent"]
        assert all(paying.bits(one) == EVERYTHING for one in paid)
        await paying.promise(revocation("everything"))  # what needs no wallet has money left
        await blocks(paying, 3)
        assert paying.bits(ADA) == EVERYTHING
    finally:
        paying.close()
