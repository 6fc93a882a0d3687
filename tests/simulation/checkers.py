"""What must hold when the trouble is over: each checker is a promise of the project, held every time."""

import hashlib
import itertools
import struct
from collections.abc import Iterator

from sayso_node.intake.intake import REMEMBERED_FAILURES
from sayso_node.sync.asking import PEER_MEMORIES
from sayso_protocol.messages.envelope import decode
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.permissions.words import Masks
from sayso_protocol.receipts.misconduct import covers
from sayso_protocol.receipts.text import AcknowledgementJson
from sayso_protocol.verdicts.query import Query
from sayso_protocol.verdicts.verdict import Reason
from simulation import endings, erasing, statements, verdicts
from simulation.chain import Paid, items_of
from simulation.held import Held
from simulation.machine import Machine
from simulation.world import World
from support.protocol_strategies import NETWORK


class Checkers:
    """Look at a world in which nothing is broken any more."""

    def __init__(self, world: World) -> None:
        self.world = world
        # What a fork that is gone said may be known to some for ever (design.md, section 5).
        chain = world.chain.bits_of_all()
        self.forked = {
            who
            for one in world.chain.dropped
            for who, masks, _ in items_of(one)
            if _lacks(chain.get(who, {}), masks)
        }

    def unsettled(self) -> str:
        """What still has to happen; the run fails when it does not."""
        if len(self.world.up()) < len(self.world.machines):
            return "not all machines are up"
        held = [Held(machine) for machine in self.world.machines]
        for one, other in itertools.pairwise(held):
            names = f"{one.machine.name} and {other.machine.name}"
            known = (each.consents | each.erased for each in (one, other))
            if set.symmetric_difference(*map(set, known)) & self.world.signed.messages.keys():
                return f"{names} hold other consents"
            if statements.differing(self.world, one, other):
                return f"{names} keep other statements"
            ended = one.ended | other.ended
            but = self.forked | endings.known_alone(self.world, ended, one, other)
            if one.of_people(one.signed, but) != other.of_people(other.signed, but):
                return f"{names} hold other revocations"
        for each in held:
            self._gone(each)
            parts = self._unfinished(each), statements.wrongly_kept(self.world, each)
            late = endings.late(self.world, each) if self.world.options.ending else ()
            if missing := next(itertools.chain(*parts, late, verdicts.wrong(self.world, each)), ""):
                return missing
        return next(erasing.wrong(self.world), "")

    def _gone(self, held: Held) -> None:
        """What was erased or has ended stays gone, and nothing ends before its time."""
        for digest in sorted(erasing.back(held)):
            self.world.fail(f"{held.machine.name} has {digest.hex()} again, which it had erased")
        if self.world.options.ending:
            for text in endings.early(self.world, held):
                self.world.fail(text)

    def _unfinished(self, held: Held) -> Iterator[str]:
        name, chain = held.machine.name, self.world.chain
        for who, masks in chain.bits_of_all().items():
            if _lacks(held.chain.get(who, {}), masks):
                yield f"{name} does not know what is on chain"
        if held.roots != chain.blocks[-1].anchors:
            yield f"{name} knows other anchors than the chain has"
        if held.machine.pays:
            if held.waits_for_anchor or held.batches - chain.blocks[-1].anchors:
                yield f"{name} has licenses that are not anchored"
            for promise in held.machine.promises:
                message = held.machine.told.messages[promise.digest].message
                if isinstance(message, Revocation):
                    landed = chain.bits_of_all().get(message.contributor, {})
                    if _lacks(landed, message.bits):
                        yield f"{name} has not brought on chain what it acknowledged"

    def final(self) -> None:
        """Everything that must hold at the end; what does not is a fault of the world."""
        for machine in self.world.machines:
            held = Held(machine)
            self._state(held)
            self._bodies(machine)
            self._promises(held)
            self._bounds(held)
            self._misconduct(machine)
        self._paid_once()

    def _state(self, held: Held) -> None:
        """Rule 9.3, by an implementation of its own."""
        if held.digest != digest_of(held):
            self.world.fail(f"{held.machine.name}: the digest is not that of its state")

    def _bodies(self, machine: Machine) -> None:
        """Under the digest of what somebody signed is what he signed."""
        assert machine.life
        with machine.life.store.read() as db:
            for digest, body in db.execute("SELECT digest, body FROM messages"):
                signed = self.world.signed.messages.get(digest)
                if signed and body and decode(body, NETWORK).signature != signed.signature:
                    self.world.fail(f"{machine.name} keeps a message under a wrong signature")

    def _promises(self, held: Held) -> None:
        """What was acknowledged is kept, here and by every honest node."""
        first: dict[bytes, AcknowledgementJson] = {}
        over = self._over()
        for machine in self.world.machines:
            for promise in machine.promises:
                envelope = machine.told.messages[promise.digest]
                if isinstance(envelope.message, Revocation):
                    masks = _either(held, envelope.message.contributor)
                    if _lacks(masks, envelope.message.bits) and self._must_have(held, machine, envelope):
                        self._lost(held, machine, "a revocation that was acknowledged")
                elif promise.digest not in held.kept | over:
                    self._lost(held, machine, "a message that was taken in")
                # 7.13 An acknowledgement of what changed nothing is signed anew each time.
                is_kept = promise.digest in held.kept
                if promise.acknowledgement and machine is held.machine and is_kept:
                    said = promise.acknowledgement
                    if first.setdefault(promise.digest, said) != said:
                        self.world.fail(f"{machine.name} acknowledged one revocation in two ways")

    def _over(self) -> set[bytes]:
        """What has ended, and may have before it had come everywhere; and what is about that."""
        ended = frozenset[bytes]().union(*(Held(one).ended for one in self.world.machines))
        signed = self.world.signed.messages
        return {one for one in signed if one in ended or endings.touches(signed, one, ended)}

    def _must_have(self, held: Held, machine: Machine, envelope: object) -> bool:
        """What a dropped fork or an ended statement made matter is kept where it was seen."""
        message = envelope.message  # type: ignore[attr-defined]
        other = Held(machine)
        alone = endings.known_alone(self.world, held.ended | other.ended, held, other)
        return held.machine is machine or message.contributor not in self.forked | alone

    def _lost(self, held: Held, machine: Machine, what: str) -> None:
        self.world.fail(f"{held.machine.name} has not {what} by {machine.name}")

    def _bounds(self, held: Held) -> None:
        life, room = held.machine.life, held.machine.room
        assert life
        load = held.load
        if load.pending > room.pending or load.marks > room.marks:
            self.world.fail(f"{held.machine.name} keeps more than it has room for: {load}")
        if len(life.intake._failures) > REMEMBERED_FAILURES:
            self.world.fail(f"{held.machine.name} remembers failures without end")
        if not self.world.liars and life.counters.snapshot()["sync_forged"]:
            self.world.fail(f"{held.machine.name} accuses an honest peer of forging")
        if len(life.rounds._memories) > PEER_MEMORIES:
            self.world.fail(f"{held.machine.name} remembers peers without end")

    def _misconduct(self, machine: Machine) -> None:
        """Rule 9.7: nobody can ever show that an honest node broke its word; numbers never repeat."""
        numbers = [receipt.statement.sequence for receipt, _, _ in machine.receipts]
        if len(set(numbers)) < len(numbers):
            self.world.fail(f"{machine.name} gave two receipts one number")
        for promise in machine.promises:
            if promise.acknowledgement is None:
                continue
            for receipt, rows, reasons in machine.receipts:
                at, block = promise.acknowledgement.time, promise.acknowledgement.block.number
                answer = receipt.statement
                if answer.time > at and answer.block.number >= block:
                    query = Query(answer.grantee, answer.purpose)
                    self._compare(machine, promise.digest, query, rows, reasons)

    def _compare(
        self, machine: Machine, digest: bytes, query: Query, rows: bytes, reasons: bytes
    ) -> None:
        revocation, known = machine.told.messages[digest], machine.told.messages
        for at, number in enumerate(reasons):
            license_hash, item = rows[at * 64 : at * 64 + 32], rows[at * 64 + 32 : at * 64 + 64]
            if (
                number == Reason.GRANTED.number
                and license_hash in known
                and covers(revocation, known[license_hash], item, query)
            ):
                self.world.fail(f"{machine.name} broke its word, as anybody can show")

    def _paid_once(self) -> None:
        """Nothing is paid for twice: no root at all, no revocation by one account."""
        seen: set[tuple[bytes, bytes]] = set()
        for one in itertools.chain(*(block.transactions for block in self.world.chain.blocks)):
            if isinstance(one, Paid):
                names = [one.root] if one.root else [signature for _, _, signature in one.items]
                for name in ((one.account, name) for name in names):
                    if name in seen:
                        self.world.fail("something was brought on chain, and paid for, twice")
                    seen.add(name)


def _lacks(masks: Masks, wanted: Masks) -> bool:
    return any(mask & ~masks.get(word, 0) for word, mask in wanted.items())


def _either(held: Held, address: bytes) -> Masks:
    signed, chain = held.signed.get(address, {}), held.chain.get(address, {})
    return {word: signed.get(word, 0) | chain.get(word, 0) for word in {*signed, *chain}}


def digest_of(held: Held) -> bytes:
    """Rule 9.3, once more: SHAKE-128 of each entry as 1,024 numbers of 16 bits, added up."""
    total = [0] * 1_024
    for who in held.people:
        for word, mask in _either(held, who).items():
            data = b"sayso state 1\0" + who + word.to_bytes(32) + mask.to_bytes(32)
            expanded = struct.unpack(">1024H", hashlib.shake_128(data).digest(2_048))
            total = [one + other for one, other in zip(total, expanded, strict=True)]
    return hashlib.sha256(struct.pack(">1024H", *(one % 65_536 for one in total))).digest()
