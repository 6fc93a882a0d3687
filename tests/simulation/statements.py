"""Which statements a machine keeps: those that what it holds makes hold, in whatever order they came.

So whatever waited is kept when what it waited for has come, and a stranger's statement never is.
"""

from collections.abc import Iterator

from sayso_protocol.messages.envelope import Envelope
from sayso_protocol.messages.message import STATEMENTS
from sayso_protocol.messages.statements.dispute import Dispute
from sayso_protocol.messages.statements.sublicense import Sublicense
from simulation.endings import touches
from simulation.held import Held
from simulation.holders import HEEDED
from simulation.knowledge import Knowledge
from simulation.machine import FINALITY
from simulation.world import World


def wrongly_kept(world: World, held: Held) -> Iterator[str]:
    """Yield statements that a machine was told of and should keep or should not (rule 7.17)."""
    final = world.chain.final_endorsements(FINALITY)
    heard = {
        digest: one
        for digest, one in world.signed.messages.items()
        if one.message.kind in STATEMENTS
        and (digest in held.machine.told.messages or digest in held.kept)
    }
    known, without = Knowledge(), Knowledge()  # with and without what has ended and what is below it
    for digest, one in world.signed.messages.items():
        if digest in held.consents | held.erased or (
            digest in heard and (one.signature or digest in final)
        ):
            known.hear(one)
            if digest not in held.ended and not touches(world.signed.messages, digest, held.ended):
                without.hear(one)
    for digest, one in heard.items():
        if digest in held.ended or touches(world.signed.messages, digest, held.ended):
            continue  # endings.py has them; what comes after what it is about has ended waits
        wanted = digest in known.messages and _is_to_be_kept(known, one)
        if wanted and not _is_to_be_kept(without, one):
            continue  # it is kept only where it came before the end of what its signer held by
        if wanted != (digest in held.statements):
            what = type(one.message).__name__.lower()
            yield f"{held.machine.name} {'lacks' if wanted else 'should not keep'} a {what}"


def differing(world: World, one: Held, other: Held) -> set[bytes]:
    """Statements of people that only one of two machines keeps, and neither has ended."""
    gone, signed = one.ended | other.ended, world.signed.messages
    found = (one.statements ^ other.statements) & signed.keys() - gone
    return {digest for digest in found if not touches(signed, digest, gone)}


def _is_to_be_kept(known: Knowledge, one: Envelope) -> bool:
    match one.message:
        case Sublicense():
            return known.is_kept(one.digest)
        case Dispute() as message:
            return message.signer == HEEDED.address
        case message:
            return known.holds(message.signer, one.items)
