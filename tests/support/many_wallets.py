"""Contract wallets with many consents each, and how often a node asks about them in an hour."""

from pathlib import Path

from sayso_node.freshness import ChainHead
from sayso_node.store.admission import consents
from sayso_node.store.admission.keeper import Keeper
from sayso_node.store.admission.sponsors import Quotas
from sayso_node.store.chain import wallets
from sayso_node.store.interface import Writing
from sayso_protocol.messages.envelope import Envelope
from sayso_protocol.primitives import sha256
from sayso_protocol.receipts.receipt import ChainPoint
from support.node_rig import NOW, NodeRig
from support.probes import questions_in
from support.protocol_strategies import NETWORK, NODE, a_consent, item_hashes

READ_EVERY_S = 2.0
BLOCK_S = 12.0
KEEPER = Keeper(b"", Quotas(operators=frozenset({bytes(NODE.verify_key)})))
SIGNATURE = b"\x01" * 96  # longer than a key's, and as long as many wallets give


class Accepting:
    """Wallets that accept; counts calls."""

    def __init__(self) -> None:
        self.calls = 0

    async def created(self, code: bytes, gas: int, block: ChainPoint) -> bytes:
        self.calls += 1
        return (1).to_bytes(32) * len(questions_in(code))


def _consents(wallet: bytes, number: int, count: int) -> list[Envelope]:
    found = []
    for place in range(count):
        items = item_hashes(1, number * count + place)
        message = a_consent(items, contributor=wallet, parties=(wallet,))
        found.append(Envelope(message, NETWORK, SIGNATURE, items).sponsored_by(NODE))
    return found


async def calls_of_wallets(
    folder: Path, *, owners: int, each: int, age_s: int, hours: float = 1.0
) -> tuple[float, int]:
    """Calls an hour while somebody asks with this age, and answers that were too old at any time."""
    prober = Accepting()
    with NodeRig(folder, prober=prober) as rig:
        held = [_consents(sha256(b"%d" % one)[:20], one, each) for one in range(owners)]

        def fill(db: Writing) -> None:
            for some in held:
                consents.admit(db, some, KEEPER, NOW, NOW)
                for one in some:
                    wallets.said(db, one.message.signer, one.digest, NOW, NOW, accepted=True)

        await rig.store.write(fill)
        samples = [one.digest for some in held[:: max(owners // 10, 1)] for one in some]
        too_old, end, number = 0, NOW + hours * 3_600, 0
        while rig.clock.time < end:
            rig.clock.time += READ_EVERY_S
            number = int((rig.clock.time - NOW) // BLOCK_S)
            point = ChainPoint(number, sha256(b"block %d" % number))
            rig.freshness.chain_read(rig.clock.time, ChainHead(point, NOW + number * BLOCK_S))
            rig.freshness.note_age(rig.clock.time, age_s)
            await rig.watch.ask()
            with rig.store.read() as db:
                accepted = wallets.accepted_among(db, samples)
            too_old += sum(at < rig.clock.time - age_s for at in accepted.values())
    return prober.calls / hours, too_old
