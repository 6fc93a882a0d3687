"""People who license and revoke: a small world, so that what they sign meets.

Keys are hashes of names. Everything is drawn from one random stream, in the order of time.
"""

from random import Random

from sayso_protocol.messages.consent import Consent
from sayso_protocol.messages.envelope import Envelope
from sayso_protocol.messages.message import as_kind
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.messages.statements.sublicense import NO_PARENT, Sublicense
from sayso_protocol.permissions.scopes import Scope, agreement_subject, file_subject, to_subject
from sayso_protocol.permissions.words import Masks
from sayso_protocol.primitives import ANYONE, NOBODY
from simulation.holders import ALL, HOLDERS, Holders
from simulation.options import Options
from simulation.person import Person
from support.protocol_strategies import (
    a_consent,
    full_words,
    item_hashes,
)

ITEMS = item_hashes(6)
PURPOSES = ("evaluate", "train-ai")
DOMAINS = ("", "kled.ai", "neon.example")
BUYERS = (b"\x01" * 20, b"\x02" * 20)
LONG_S, SHORT_S, BRIEF_S = 1_000_000, (40, 600), (20, 120)
WHOLE = 0.25  # share of licenses that are taken back with all that is in them, where operators erase
ENOUGH = 3  # licenses, before holders begin
AHEAD_S = 590  # within what every clock must take in


CONTRIBUTORS = tuple(Person.named(f"contributor {number}") for number in range(4))
GUARDIAN, STRANGER = Person.named("guardian"), Person.named("stranger")
PAIR = tuple(sorted(person.address for person in CONTRIBUTORS[:2]))


class People:
    """Sign what comes into their minds."""

    def __init__(self, random: Random, options: Options) -> None:
        self._random, self._options = random, options
        self._passing = passing = options.passing  # share of what holders sign
        self.holders = Holders(random)
        self.buyers = tuple(one.address for one in HOLDERS[:2]) if passing else BUYERS
        self.askers = tuple(one.address for one in HOLDERS) if passing else BUYERS
        self.consents: list[Envelope] = []
        self.revocations: list[Envelope] = []

    def _chance(self, share: float) -> bool:
        return self._random.random() < share

    def sign(self, now: float) -> Envelope:
        """The next message."""
        if self._options.erasures and self.consents and self._chance(WHOLE):
            return self._all_of(self._random.choice(self.consents))
        if self._passing and len(self.consents) >= ENOUGH and self._chance(self._passing):
            return self.holders.sign(now, self.consents)
        if not self.consents or self._chance(0.88 if self._passing else 0.5):
            return self.consent(now)
        return self.revocation()

    def consent_of(self, person: Person, now: float) -> Envelope:
        """An ordinary consent."""
        items = ITEMS[:1]
        message = a_consent(
            items,
            contributor=person.address,
            parties=(person.address,),
            issued_at=int(now),
            expires_at=int(now) + LONG_S,
        )
        return person.sign(message, items)

    def consent(self, now: float) -> Envelope:
        """Anybody licenses anything."""
        random = self._random
        person = random.choice(CONTRIBUTORS)
        together = person.address in PAIR and self._chance(0.4)
        items = tuple(random.sample(ITEMS, random.randint(1, 3)))
        issued = int(now) - random.randint(0, 2_000)
        if self._chance(0.05 if self._passing else 0.2):
            issued = int(now) + random.randint(0, AHEAD_S)
        lasts = LONG_S if self._chance(0.8) else random.randint(*SHORT_S)
        if self._options.ending:
            lasts = random.randint(*BRIEF_S)
        message = a_consent(
            items,
            contributor=person.address,
            parties=PAIR if together else (person.address,),
            grantee=random.choice((*self.buyers, *self.buyers[:1] * 3 * bool(self._passing), ANYONE)),
            via=random.choice(DOMAINS),
            purposes=random.choice(self._purposes()),
            guardian=random.choice((NOBODY, GUARDIAN.address, CONTRIBUTORS[2].address)),
            issued_at=issued,
            expires_at=max(issued, int(now)) + lasts,
            **({"recheck_hours": random.choice((1, 8, 168))} if self._passing else {}),
        )
        envelope = person.sign(message, items)
        self.consents.append(envelope)
        return envelope

    def revocation(self) -> Envelope:
        """Anybody revokes what was licensed, or something else."""
        person = self._random.choice((*CONTRIBUTORS, GUARDIAN, STRANGER))
        held = self._random.choice(self.consents)
        assert isinstance(held.message, Consent)
        if self.holders.sublicenses and self._chance(0.7):
            envelope = self._of_a_holder()
        elif self._chance(0.5):
            envelope = self._by_words(held.message)
        else:
            envelope = person.sign(
                Revocation(person.address, tuple(self._sentences(person, held.message)))
            )
        self.revocations.append(envelope)
        return envelope

    def _all_of(self, held: Envelope) -> Envelope:
        """Somebody takes a whole license back, in one of three ways."""
        consent = as_kind(held.message, Consent)
        who = consent.contributor
        match self._random.choice(("agreement", "files", "words")):
            case "agreement":
                stop = Revocation(who, (agreement_subject(consent.agreement),))
            case "files":
                stop = Revocation(who, tuple(sorted(map(file_subject, held.items))))
            case _:
                stop = Revocation(who, (), *zip(*sorted(full_words(consent).items()), strict=True))
        person = next(one for one in CONTRIBUTORS if one.address == who)
        self.revocations.append(person.sign(stop))
        return self.revocations[-1]

    def _of_a_holder(self) -> Envelope:
        """Somebody stops one who passed a license of hers on."""
        some = self.holders.sublicenses
        further = [one for one in some if as_kind(one.message, Sublicense).parent != NO_PARENT]
        passed = self._random.choice(further or some)
        named = [one for one in self.consents if one.digest in passed.items]
        whose = self._random.choice(named or self.consents).message.signer
        person = next(one for one in CONTRIBUTORS if one.address == whose)
        purpose = self._random.choice((None, *ALL))
        scope = Scope(to_subject(passed.message.signer), purpose, None)
        return person.sign(Revocation(person.address, (scope.text,)))

    def bits_for_chain(self) -> tuple[bytes, Masks]:
        """What somebody revokes on chain, without signing a message."""
        held = self._random.choice(self.consents).message
        assert isinstance(held, Consent)
        return held.contributor, self._some_bits(held)

    def _purposes(self) -> tuple[tuple[str, ...], ...]:
        if self._passing:
            return ALL, ALL, ALL[1:], ALL[2:]
        return PURPOSES[:1], PURPOSES[1:], PURPOSES

    def _by_words(self, consent: Consent) -> Envelope:
        bits = self._some_bits(consent)
        by = next(one for one in CONTRIBUTORS if one.address == consent.contributor)
        if self._chance(0.15):
            by = STRANGER  # of no use to anybody
        return by.sign(Revocation(by.address, (), tuple(bits), tuple(bits.values())))

    def _some_bits(self, consent: Consent) -> Masks:
        if self._chance(0.3):
            return dict(full_words(consent))
        items = sorted(self._random.sample(range(consent.items), self._random.randint(1, consent.items)))
        return dict(consent.masks(items, [self._random.choice(consent.purposes)]))

    def _sentences(self, person: Person, consent: Consent) -> list[str]:
        random = self._random
        sentences = []
        for _ in range(random.choice((1, 1, 2))):
            subject = random.choice(
                (
                    "everything" if self._chance(0.3) else "via kled.ai",
                    f"via {random.choice(DOMAINS[1:])}",
                    file_subject(random.choice(ITEMS)),
                    agreement_subject(consent.agreement),
                    to_subject(random.choice(self.askers)),
                )
            )
            purpose = random.choice((None, *(ALL if self._passing else PURPOSES)))
            ward = consent.contributor if person is GUARDIAN or self._chance(0.2) else None
            sentences.append(Scope(subject, purpose, ward).text)
        return sorted(set(sentences))
