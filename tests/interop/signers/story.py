"""What every wallet goes through on two chains: a consent, revocations, a relay, a statement."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from web3.exceptions import ContractCustomError, ContractLogicError

from interop.signers.makers import COINBASE_PASSKEY, MAKERS, PASSKEY
from interop.signers.on_chain import Chain, Wallet, asked_of
from node.chain.anvil_world import PayingNode
from sayso_contracts.registry.calls import Calls
from sayso_node.chain.rpc.eth_call import EthCall
from sayso_node.intake.outcome import Outcome, Source, SourceChannel, Status
from sayso_protocol.encoding.merkle import content_root
from sayso_protocol.errors import BadSignature
from sayso_protocol.messages.envelope import Envelope
from sayso_protocol.messages.message import Message
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.messages.statements.use import Use
from sayso_protocol.messages.typed_data import digest
from sayso_protocol.network import Network
from sayso_protocol.permissions.scopes import scope_word
from sayso_protocol.primitives import address_text
from sayso_protocol.signatures.contract_wallets import read_wallet_proof
from support.anvil import anvil
from support.protocol_strategies import ADA, WALLETS, a_consent, item_hashes, sign_digest
from support.ways import Ways

HERE_ID, THERE_ID = 31_337, 31_338
EVERYTHING: Final = scope_word("everything")
FINAL: Final = 3  # blocks
ANY_SIZE: Final = ("--disable-code-size-limit",)  # for Kernel, as npm has its code


@dataclass(frozen=True)
class Row:
    """Row holds what happened with one wallet, in the words of the page.

    Attributes:
        consent, revocation, statement: What the node did.
        relay: Whether the revocation became state of its chain.
        other_id: What the node did with a revocation that the wallet signed on the other chain.
        other_chain: What the registry there did with the revocation that was signed here.
        signature: What the wallet gave, in bytes.
    """

    consent: str
    revocation: str
    relay: str
    other_id: str
    other_chain: str
    statement: str
    signature: int


class Place:
    """A chain and a node on it."""

    def __init__(self, chain: Chain, node: PayingNode) -> None:
        self.chain, self.node = chain, node
        self.network: Network = chain.registry.network

    async def give(self, envelope: Envelope) -> Outcome:
        """Hand a message in as a page does, with the signature as the wallet gave it."""
        source = Source(SourceChannel.HTTP, "test")
        formed = await self.node.rig.intake.in_form(envelope, source)
        [found] = await self.node.rig.give(formed)
        return found

    async def read(self) -> None:
        """Let blocks become final, and admit what they endorse."""
        self.chain.registry.ask("anvil_mine", hex(FINAL))
        await self.node.follower.read()
        await self.node.rig.store.write(self.node.rig.intake.blocks_came)


@asynccontextmanager
async def places(folder: Path, hardfork: str) -> AsyncIterator[tuple[Place, Place]]:
    """Two chains with the registry at the same address, and a node on the first."""
    with (
        anvil(chain_id=HERE_ID, hardfork=hardfork, options=ANY_SIZE) as one,
        anvil(chain_id=THERE_ID, hardfork=hardfork, options=ANY_SIZE) as two,
    ):
        here, there = Chain(one), Chain(two)
        assert here.registry.network.registry == there.registry.network.registry
        folder.mkdir()  # noqa: ASYNC240 - as everywhere in tests
        ways = Ways(one)
        node = PayingNode(folder, [one], here.registry.network, prober=EthCall(ways))
        async with node:
            node.rig.intake._network = here.registry.network
            node.rig.clock.time = time.time()
            await node.follower.read()
            yield Place(here, node), Place(there, node)
        await ways.close()


def said(outcome: Outcome) -> str:
    if outcome.error:
        return f"`{outcome.error.code}`"
    return "kept" if outcome.status in {Status.STORED, Status.KNOWN} else str(outcome.status)


async def story(name: str, number: int, here: Place, there: Place) -> Row:
    """Let one wallet go through it; raises AssertionError where it must not differ between wallets."""
    wallet, twin = MAKERS[name](here.chain, name), MAKERS[name](there.chain, name)
    assert wallet.address == twin.address
    network, elsewhere = here.network, there.network

    def signed(by: Wallet, message: Message, under: Network, items: tuple[bytes, ...] = ()) -> Envelope:
        return Envelope(message, under, by.sign(asked_of(message, under)), items)

    items = item_hashes(1, number)
    given = a_consent(items, contributor=wallet.address, parties=(wallet.address,))
    consent = signed(wallet, given, network, items)
    await here.node.follower.read()
    taken = said(await here.give(consent))
    partly = signed(twin, Revocation(wallet.address, ("everything for evaluate",)), elsewhere)
    other_id = said(await here.give(partly))
    stop = signed(wallet, Revocation(wallet.address, ("everything",)), network)
    await here.node.follower.read()
    stopped = await here.give(stop)
    if stopped.envelope and not stopped.error:
        await here.node.signer.acknowledge(stopped.envelope)
    await here.node.drain(here.chain.registry)
    bits = here.chain.registry.bits(wallet.address, [EVERYTHING])
    statement = await _statement(wallet, number, here)
    return Row(
        consent=taken,
        revocation=said(stopped),
        relay="on the chain" if bits == [1] else "no",
        other_id=other_id,
        other_chain=_carried(stop, there),
        statement=statement,
        signature=len(consent.signature),
    )


def _carried(stop: Envelope, there: Place) -> str:
    """What the registry of another chain does with a revocation."""
    own = read_wallet_proof(stop.signature).signature
    assert isinstance(stop.message, Revocation)
    registry = there.chain.registry.contract.functions
    none: list[int] = []
    where = stop.network.chain_id, list(stop.message.scopes), none, none, own
    try:
        registry.revokeBySig(address_text(stop.message.signer), *where).call()
    except (ContractCustomError, ContractLogicError):
        return "refused"
    return "counts"


async def _statement(wallet: Wallet, number: int, here: Place) -> str:
    """A use of what somebody licensed to the wallet: signed by a key, or endorsed by a contract."""
    items = item_hashes(1, 1_000 + number)
    sold: Message = a_consent(items, grantee=wallet.address, purposes=("resale", "train-ai"))
    bought = Envelope(sold, here.network, sign_digest(WALLETS[ADA], digest(sold, here.network)), items)
    assert said(await here.give(bought)) == "kept"
    names = (bought.digest,)
    use = Use(wallet.address, content_root(names), 1, "train-ai", "", bytes(32), int(time.time()))
    signed = Envelope(use, here.network, wallet.sign(asked_of(use, here.network)), names)
    try:
        taken = said(await here.give(signed))
    except BadSignature as error:
        taken = str(error)
    if taken == "kept":
        return "signed"
    assert taken in {"pending", "`bad-signature`"} or taken.startswith("the account is a contract")
    endorsed = Envelope(use, here.network, b"", names)
    assert said(await here.give(endorsed)) == "pending"
    calls = Calls(address_text(here.network.registry))
    call = calls.endorse(endorsed.digest)
    await asyncio.to_thread(wallet.send, call.to, call.data)
    await here.read()
    assert said(await here.give(endorsed)) == "kept"
    return "endorsed"


async def all_stories(folder: Path) -> dict[str, dict[str, object]]:
    """Every wallet, one after the other; a passkey's also where the chain can check its curve itself."""
    found = {}
    async with places(folder / "prague", "prague") as (here, there):
        for number, name in enumerate(MAKERS, 1):
            found[name] = asdict(await story(name, number, here, there))
    async with places(folder / "osaka", "osaka") as (here, there):
        for number, name in enumerate((PASSKEY, COINBASE_PASSKEY), 1):
            found[f"{name}, with P-256 at 0x100"] = asdict(await story(name, number, here, there))
    return found
