"""Peers that lie. A liar runs the same code on a machine of its own and bends what leaves it.

Each lie has a name. `omit` leaves out what it has. `replay` gives and says old things again. `forge`
names what does not exist, and puts wrong signatures under right messages. `flood` signs without end.
`garbage` sends bytes. `silence` lets who asks wait. `frame` makes honest nodes look guilty: one of them
learns a message that the others do not know, and then hears it again, beside a new one, in a form that
only who does not know it would look at.
"""

import asyncio
from contextlib import suppress
from dataclasses import replace
from random import Random
from typing import TypeVar

from sayso_node.errors import PeerUnreachable
from sayso_protocol.encoding.packing import pack
from sayso_protocol.errors import SaysoError
from sayso_protocol.messages.consent import Consent
from sayso_protocol.messages.envelope import Envelope, decode, encode
from sayso_protocol.messages.message import CONSENT, REVOCATION
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.messages.wire import SYNC_PROTOCOL, TOPICS, decode_bundle, encode_bundle
from sayso_protocol.sync.answers import (
    BUNDLE_BYTES,
    DECLINED,
    TAKEN,
    Listed,
    decode_lists,
    decode_messages,
    encode_check,
    encode_lists,
    encode_messages,
    encode_taken,
)
from sayso_protocol.sync.fingerprints import CELL_BYTES, CHECK_BYTES, SHORT_BYTES
from sayso_protocol.sync.requests import (
    CellsRequest,
    CheckRequest,
    FingerprintsRequest,
    GetRequest,
    HeedRequest,
    ListRequest,
    OfferRequest,
    RangeRequest,
    decode_request,
    encode_request,
)
from simulation.machine import Machine
from simulation.network import Frame
from simulation.person import Person
from support.packed import unpack
from support.protocol_strategies import NETWORK, a_consent, item_hashes

T = TypeVar("T")
OFTEN = 0.5  # how often a liar lies
FLOOD_EVERY_S = 3.0
FLOOD = 4  # messages at once
REMEMBERED = 64
NEVER_S = 3_600.0
PATIENCE_S = 5.0


class Liar:
    """Bends what a machine says."""

    def __init__(self, machine: Machine, lies: tuple[str, ...], seed: str) -> None:
        machine.lies = True
        self.machine = machine
        self.lies = lies
        self.is_lying = True
        self.signed: list[Envelope] = []  # in its floods
        self._random = Random(f"{seed}/{machine.name}/lies")
        self._answers: list[bytes] = []
        self._frames: list[Frame] = []
        self._wallets = 0
        self._people: dict[bytes, Person] = {}
        machine.port.bend = self.bend
        machine.port.on_heard = self.on_heard

    async def run(self) -> None:
        """Say things nobody asked for, for ever."""
        while True:
            await asyncio.sleep(FLOOD_EVERY_S)
            if not self.is_lying or not self.machine.is_up:
                continue
            if "flood" in self.lies:
                self._flood()
            if "replay" in self.lies and self._frames:
                old = self._random.choice(self._frames)
                self._say(old.topic, old.body)
            if "garbage" in self.lies:
                self._say(TOPICS[REVOCATION].on(NETWORK), self._random.randbytes(40))
            if "frame" in self.lies:
                await self._frame_somebody()

    def on_heard(self, frame: Frame) -> bool:
        """A frame has come; False if it goes no further."""
        self._frames = [*self._frames, frame][-REMEMBERED:]
        if not self.is_lying:
            return True
        if "forge" in self.lies:
            self._say(frame.topic, self._forge_bundle(frame.body))
        return "omit" not in self.lies or self._lies()

    async def bend(self, request: bytes, answer: bytes) -> bytes:
        """What a liar answers instead."""
        if not self.is_lying or self._lies():
            return answer
        self._answers = [*self._answers, answer][-REMEMBERED:]
        lie = self._random.choice(self.lies)
        if lie == "silence":
            await asyncio.sleep(NEVER_S)
        if lie == "garbage":
            return self._random.randbytes(self._random.randint(0, 60))
        if lie == "replay":
            return self._random.choice(self._answers)
        if lie in ("omit", "forge"):
            return self._change(request, answer, forge=lie == "forge")
        return answer

    def _change(self, request: bytes, answer: bytes, *, forge: bool) -> bytes:
        """An answer of the right form that leaves things out, or names what is not there."""
        try:
            match decode_request(request):
                case FingerprintsRequest() | CellsRequest() as asked:
                    joined: bytes = unpack(answer)
                    width = CELL_BYTES if isinstance(asked, CellsRequest) else SHORT_BYTES
                    return pack(self._other_sums(joined, width) if forge else bytes(len(joined)))
                case ListRequest(kind, _salt, nodes):
                    lists = decode_lists(answer, kind, len(nodes))
                    return encode_lists(kind, [self._other_list(one, forge=forge) for one in lists])
                case GetRequest() | RangeRequest():
                    given = decode_messages(answer)
                    bent = map(self._with_wrong_signature, given) if forge else self._some(given)
                    return encode_messages([*bent])
                case CheckRequest():
                    return encode_check(self._random.randbytes(CHECK_BYTES) if forge else None)
                case OfferRequest(envelopes):
                    return encode_taken([TAKEN if forge else DECLINED] * len(envelopes))
                case HeedRequest():
                    pass
        except SaysoError:
            pass
        return answer

    def _other_sums(self, joined: bytes, width: int) -> bytes:
        sums = [joined[at : at + width] for at in range(0, len(joined), width)]
        return b"".join(one if self._lies() else self._random.randbytes(len(one)) for one in sums)

    def _other_list(self, listed: list[Listed] | None, *, forge: bool) -> list[Listed] | None:
        if listed is None:
            return None
        if not forge:
            return self._some(listed)
        made = self._random.randbytes(SHORT_BYTES)
        return sorted([*listed, Listed(made, (made,))], key=lambda one: one.entry)

    def _forge_bundle(self, bundle: bytes) -> bytes:
        """The same messages with other people's signatures."""
        return encode_bundle([self._with_wrong_signature(one) for one in self._read(bundle)])

    def _with_wrong_signature(self, body: bytes) -> bytes:
        try:
            envelope = decode(body, NETWORK)
        except SaysoError:
            return body
        stranger = Person.named(f"{self.machine.name} forger").sign(envelope.message)
        return encode(replace(envelope, signature=stranger.signature))

    def _read(self, bundle: bytes) -> list[bytes]:
        try:
            return decode_bundle(bundle, BUNDLE_BYTES)
        except SaysoError:
            return [bundle]

    def _some(self, things: list[T]) -> list[T]:
        return [one for one in things if self._lies()]

    def _lies(self) -> bool:
        return self._random.random() < OFTEN

    def _flood(self) -> None:
        """Revocations of nothing by wallets that did not exist before, rightly signed."""
        made = [self._fresh_revocation() for _ in range(FLOOD)]
        self._say(TOPICS[REVOCATION].on(NETWORK), encode_bundle([encode(one) for one in made]))
        consent = self._fresh_consent()
        self._say(TOPICS[CONSENT].on(NETWORK), encode_bundle([encode(consent)]))

    async def _frame_somebody(self) -> None:
        """Have one honest node forward what all others must reject."""
        victim = self._random.choice(self.machine.port.connected() or [None])
        if victim is None:
            return
        known, fresh = self._fresh_consent(), self._fresh_consent()
        person = self._people[known.message.signer]
        stop, other = (
            self._signed(person.sign(Revocation(person.address, (scope,))))
            for scope in ("everything", "via kled.ai")
        )
        request = encode_request(OfferRequest((encode(known), encode(stop))))
        with suppress(PeerUnreachable):
            await self.machine.port.request(victim.peer_id, SYNC_PROTOCOL, request, PATIENCE_S)
        old, new, kind = self._random.choice(((known, fresh, CONSENT), (stop, other, REVOCATION)))
        bundle = [self._random.choice(self._tricks(old)), encode(new)]
        self._random.shuffle(bundle)
        self.machine.port.send_new(TOPICS[kind].on(NETWORK), encode_bundle(bundle), [victim])

    def _tricks(self, one: Envelope) -> list[bytes]:
        """Forms of a message that are wrong, or not to stand beside another, and have its digest."""
        tricks = [
            replace(one, signature=bytes(65)),
            replace(one, signature=bytes(100)),  # a contract wallet's, as far as anybody can see
        ]
        if one.sponsor:
            tricks.append(replace(one, sponsor=self._fresh_consent().sponsor))
        return [encode(trick) for trick in tricks]

    def _fresh_revocation(self) -> Envelope:
        person = self._fresh_person()
        word = self._random.getrandbits(200)
        return self._signed(person.sign(Revocation(person.address, (), (word,), (1,))))

    def _fresh_consent(self) -> Envelope:
        person, items = self._fresh_person(), item_hashes(1, self._random.getrandbits(32))
        consent: Consent = a_consent(items, contributor=person.address, parties=(person.address,))
        return self._signed(person.sign(consent, items).sponsored_by(self.machine.key))

    def _fresh_person(self) -> Person:
        self._wallets += 1
        person = Person.named(f"{self.machine.name} {self._wallets}")
        self._people[person.address] = person
        return person

    def _signed(self, envelope: Envelope) -> Envelope:
        self.signed.append(envelope)
        return envelope

    def _say(self, topic: str, body: bytes) -> None:
        self.machine.port.say(topic, body)
