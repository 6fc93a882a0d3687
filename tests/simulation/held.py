"""What a machine has in its store when the trouble is over."""

from sayso_node.store import messages
from sayso_node.store.admission import pending
from sayso_node.store.interface import Reading
from sayso_node.store.revocations import bits
from sayso_protocol.messages.message import CONSENT, STATEMENTS
from sayso_protocol.permissions.words import Masks
from simulation.knowledge import Knowledge
from simulation.machine import ANCHOR_AFTER_S, Machine
from simulation.world import World
from support.held_bits import bits_of

State = dict[bytes, Masks]
SLACK_S = 20.0  # for a reading of the chain and a round with every peer


class Held:
    """What a machine has in its store."""

    def __init__(self, machine: Machine) -> None:
        assert machine.life
        self.machine = machine
        with machine.life.store.read() as db:
            consents = db.execute("SELECT digest FROM messages WHERE kind = ?", (CONSENT,))
            self.consents = frozenset(row[0] for row in consents)
            kinds = db.execute("SELECT digest, kind FROM messages")
            by_kind = dict(kinds)
            self.statements = frozenset(x for x, kind in by_kind.items() if kind in STATEMENTS)
            self.erased = frozenset(x for x, kind in by_kind.items() if kind == messages.ERASED)
            self.ended = frozenset(x for x, kind in by_kind.items() if kind == messages.ENDED)
            self.kept = {row[0] for row in db.execute("SELECT digest FROM messages")}
            self.people = {row[0] for row in db.execute("SELECT address FROM people")}
            self.signed = _bits(db, bits.SIGNED)
            self.chain = _bits(db, bits.CHAIN)
            self.digest = bits.current_digest(db)
            self.load = pending.load(db)
            # What came while the clock was ahead is as young as it was then, until time has caught up.
            ahead = "SELECT digest FROM messages WHERE arrived_at > ?"
            self.ahead = {row[0] for row in db.execute(ahead, (machine.clock.now() - SLACK_S,))}
            self.unsure = {row[0] for row in db.execute("SELECT address FROM people WHERE unsure <> 0")}
            self.marked = {row[0] for row in db.execute("SELECT signer FROM marks")}
            self.roots = {row[0] for row in db.execute("SELECT root FROM anchors")}
            due_s = machine.clock.now() - ANCHOR_AFTER_S
            # What came while the clock was ahead is anchored later than others.
            queue = db.execute("SELECT count(*) FROM anchor_queue WHERE queued_at <= ?", (due_s,))
            self.waits_for_anchor = queue.fetchone()[0]
            self.batches = {row[0] for row in db.execute("SELECT root FROM batches WHERE own <> 0")}

    def of_people(self, state: State, but: set[bytes]) -> State:
        """The bits of those who are known, without some."""
        return {who: state[who] for who in state if who in self.people and who not in but}


def _bits(db: Reading, source: str) -> State:
    addresses = [row[0] for row in db.execute("SELECT DISTINCT address FROM bits")]
    found = {who: bits_of(db, who, source=source) for who in addresses}
    cleaned = {who: {word: mask for word, mask in masks.items() if mask} for who, masks in found.items()}
    return {who: masks for who, masks in cleaned.items() if masks}


def everything(world: World, held: Held) -> Knowledge:
    """All messages of people that a machine keeps, and all bits that it has."""
    known = Knowledge()
    known.ended = held.ended
    for digest in held.kept - held.erased:
        if envelope := world.signed.messages.get(digest):
            known.hear(envelope)
    known.state.clear()  # a message that is kept says no more than the bits
    for who, masks in (*held.signed.items(), *held.chain.items()):
        known.add_bits(who, masks)
    return known
