"""A world of machines, people and trouble, made from a seed; and what is left when the trouble is over.

world = World(seed, options, loop)
await world.live()  # machines come up, people sign
world.mend()  # nothing is broken any more
"""

import asyncio
import hashlib
from collections.abc import Coroutine
from random import Random
from typing import Any

from sayso_node.interfaces import Judgement
from sayso_protocol.messages.envelope import Envelope, decode, encode
from sayso_protocol.messages.message import STATEMENTS, SUBLICENSE
from sayso_protocol.messages.wire import TOPICS, decode_bundle
from sayso_protocol.sync.answers import BUNDLE_BYTES
from simulation.chain import Endorse, Revoke, SimChain
from simulation.disk import Media, new_disk
from simulation.knowledge import Knowledge
from simulation.liars import Liar
from simulation.loop import VirtualLoop
from simulation.machine import EPOCH, Machine
from simulation.network import HEARTBEAT_S, Frame, Net, Port, Weather
from simulation.options import Options
from simulation.people import People
from support.protocol_strategies import NETWORK

DELAY_S = (0.005, 0.12)
COME_UP_S = (0.5, 20.0)
ATTEMPTS = 4
ENDORSED_SHARE = 0.8
STATEMENT_TOPIC = TOPICS[SUBLICENSE].on(NETWORK)
SIGNING_SHARE = 0.8  # of the time of trouble; what follows only has to travel


class Violation(Exception):
    """A promise of design.md was broken; says which, where and when."""


class World:
    """Everything there is."""

    def __init__(
        self,
        seed: str,
        options: Options,
        loop: VirtualLoop,
        *,
        media: Media = new_disk,
        connect: bool = True,
    ) -> None:
        self.seed = seed
        self.options = options
        self.loop = loop
        self.random = Random(f"{seed}/world")
        self.net = Net(Random(f"{seed}/network"))
        self.chain = SimChain(Random(f"{seed}/chain"), lambda: EPOCH + loop.time())
        self.people = People(Random(f"{seed}/people"), options)
        self.signed = Knowledge()
        self.faults: list[str] = []  # what no part of a node may do
        self.trace = hashlib.sha256()
        self.machines = [
            self._machine(f"node {number}", media, pays=number < options.payers)
            for number in range(options.machines)
        ]
        lying = [self._machine(f"liar {number}", media, pays=False) for number in range(options.liars)]
        self.liars = [Liar(one, options.lies, seed) for one in lying]
        self.everybody = [*self.machines, *lying]
        operators = frozenset(bytes(one.key.verify_key) for one in self.machines)
        for machine in self.everybody:
            machine.operators = operators
        if connect:
            self._connect()
        self.net.on_judged = self._judged
        self.net.on_served = self._served

    @property
    def now(self) -> float:
        """The true time, seconds since the Unix epoch."""
        return EPOCH + self.loop.time()

    def fail(self, text: str) -> None:
        """Write a broken promise down; the run ends with the first."""
        self.faults.append(f"at {self.loop.time():.3f} s: {text}")

    def note(self, *what: object) -> None:
        """Two runs of a seed must do the same: this is what is compared."""
        self.trace.update(repr((round(self.loop.time(), 9), *what)).encode())

    def up(self) -> list[Machine]:
        """Honest machines that run."""
        return [machine for machine in self.machines if machine.is_up]

    @property
    def keeper(self) -> Machine:
        """The machine whose operator never erases, so that there is something to compare."""
        return self.machines[0]

    # the course of things

    async def live(self) -> None:
        """Everybody comes up, and there is trouble until it is over."""
        for machine in self.everybody:
            machine.come_up()
        self.spawn(self.chain.run())
        self.look_after_links()
        for liar in self.liars:
            self.spawn(liar.run())
        await self.go_on()

    async def go_on(self) -> None:
        """People sign, and whatever troubles there are have their time."""
        self.spawn(self._sign())
        await asyncio.sleep(self.options.seconds)

    def mend(self) -> None:
        """Everything works from now on."""
        self.net.weather = Weather()
        self.net.mend()
        for machine in self.everybody:
            machine.port.slowness_s, machine.port.is_child_down = 0.0, False
            machine.disk.is_full, machine.disk.power_fails = False, None
            machine.clock.put(0.0)
            machine.endpoint.catch_up()
            machine.endpoint.failure = 0.0
            if machine.life:
                for other in self.everybody:
                    machine.life.sync.wake(other.peer_id)  # as when it connects
        for liar in self.liars:
            liar.is_lying = self.options.liars_go_on

    def spawn(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Something that goes on beside the machines; an error in it is one of the simulation."""
        task = self.loop.create_task(work)
        task.add_done_callback(self._served)
        return task

    async def hand_in(self, envelopes: list[Envelope], machine: Machine | None = None) -> None:
        """As somebody does: at one node, and if that fails at another. He may never hear of it."""
        for _ in range(ATTEMPTS):
            chosen = machine or self.random.choice(self.machines)
            await asyncio.sleep(self.random.uniform(*DELAY_S))
            if chosen.is_up and chosen.life:
                bundle = [encode(one) for one in envelopes]
                task = chosen.do(chosen.life.submit(bundle, f"10.0.0.{self.random.randint(1, 3)}"))
                await asyncio.wait([task])
                if not task.cancelled() and not task.exception():
                    for promise in task.result():
                        self.note("promised", chosen.name, promise.digest)
                    return
            await asyncio.sleep(self.random.uniform(0.1, 5.0))

    # how it is made

    def _machine(self, name: str, media: Media, *, pays: bool) -> Machine:
        place = (name, self.net, self.chain, self.loop, self.seed)
        machine = Machine(*place, room=self.options.room, media=media, pays=pays)
        machine.on_fault = self.fail
        if self.options.erasures or self.options.ending:
            machine.parts += ("batches", "dates", *["ends"] * self.options.ending)
        return machine

    def _connect(self) -> None:
        """Everybody with everybody: whom an honest node is configured with, it reaches."""
        for at, one in enumerate(self.everybody):
            for other in self.everybody[:at]:
                self.net.join(one.port, other.port, self.random.uniform(*DELAY_S))
        for machine in self.everybody:
            others = [one.peer_id for one in self.everybody if one is not machine]
            count = self.random.randint(min(2, len(others)), len(others))
            machine.friends = tuple(sorted(self.random.sample(others, count)))

    def look_after_links(self) -> None:
        """Connections are made and given up from now on."""

        async def for_ever() -> None:
            while True:
                self.net.look_after()
                await asyncio.sleep(HEARTBEAT_S)

        self.spawn(for_ever())

    async def _sign(self) -> None:
        """People sign one message after the other, and hand it in now, later, twice, or on chain."""
        random, options = self.random, self.options
        pause_s = SIGNING_SHARE * options.seconds / options.messages
        for _ in range(options.messages):
            await asyncio.sleep(random.uniform(0, 2 * pause_s))
            envelope = self.people.sign(self.now)
            self.signed.hear(envelope)
            if not envelope.signature:
                self.spawn(self._endorse(envelope))
            match random.choice(("in", "in", "in", "late", "twice", "with", "chain")):
                case "late":
                    self.spawn(self._hand_in_later([envelope]))
                case "twice":
                    self.spawn(self.hand_in([envelope]))
                    self.spawn(self._hand_in_later([envelope]))
                case "with":
                    company = [envelope, random.choice(self.people.consents)]
                    random.shuffle(company)
                    self.spawn(self.hand_in(company))
                case "chain" if envelope.message.kind not in STATEMENTS:
                    address, bits = self.people.bits_for_chain()
                    for word, mask in bits.items():
                        self.chain.submit(Revoke(address, word, mask))
                    self.spawn(self.hand_in([envelope]))
                case _:
                    self.spawn(self.hand_in([envelope]))

    async def _hand_in_later(self, envelopes: list[Envelope]) -> None:
        await asyncio.sleep(self.random.uniform(0, self.options.seconds * SIGNING_SHARE / 2))
        await self.hand_in(envelopes)

    async def _endorse(self, envelope: Envelope) -> None:
        """A contract wallet endorses before or after its statement is seen, or never."""
        await asyncio.sleep(self.random.uniform(0, self.options.seconds / 4))
        if self.random.random() < ENDORSED_SHARE:
            self.chain.submit(Endorse(envelope.message.signer, envelope.digest))

    # what it watches

    def _judged(self, judge: Port, forwarder: Port, frame: Frame, judgement: Judgement) -> None:
        self.note(judge.peer_id, forwarder.peer_id, judgement.value, hashlib.sha256(frame.body).digest())
        if judgement is Judgement.REJECT and not self._is_liar(forwarder) and not self._is_liar(judge):
            self.fail("an honest node blames an honest node for what it forwarded")
        if not self._is_liar(forwarder):
            self._hold_to_what_it_forwards(forwarder, frame)

    def _hold_to_what_it_forwards(self, forwarder: Port, frame: Frame) -> None:
        """Rule 7.17: a frame of strangers' statements alone goes nowhere."""
        sender = next(one for one in self.machines if one.port is forwarder)
        bodies = decode_bundle(frame.body, BUNDLE_BYTES) if frame.topic == STATEMENT_TOPIC else []
        digests = [decode(one, NETWORK).digest for one in bodies]
        if digests and not any(one in sender.first_told for one in digests):
            self.fail(f"{sender.name} forwards statements that it has not kept")

    def _is_liar(self, port: Port) -> bool:
        return any(liar.machine.port is port for liar in self.liars)

    def _served(self, task: asyncio.Task[Any]) -> None:
        if not task.cancelled() and (error := task.exception()):
            self.fail(f"{task.get_name()} has failed: {error!r}")
