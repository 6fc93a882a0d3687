"""Holders of licenses: they pass on, use, remove, dispute and withdraw, rightly or not.

Sublicenses mostly lead from one holder to the next, so that chains of several hops come about. One
holder is a contract wallet (it endorses on chain and signs nothing).
"""

from collections.abc import Sequence
from dataclasses import replace
from random import Random

from sayso_protocol.encoding.merkle import content_root
from sayso_protocol.messages.consent import Consent
from sayso_protocol.messages.envelope import Envelope
from sayso_protocol.messages.message import Message, as_kind
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.messages.statements.dispute import CONTRIBUTORS, FILES, Dispute
from sayso_protocol.messages.statements.removal import Removal
from sayso_protocol.messages.statements.sublicense import NO_PARENT, Sublicense
from sayso_protocol.messages.statements.use import Use
from sayso_protocol.permissions.scopes import to_subject
from sayso_protocol.primitives import hex_text
from simulation.person import Person
from support.protocol_strategies import NETWORK

HOLDERS = tuple(Person.named(f"holder {number}") for number in range(6))
CONTRACT = HOLDERS[3]
HEEDED, OUTSIDER = Person.named("heeded"), Person.named("outsider")
ALL = ("evaluate", "resale", "train-ai")
ZERO = bytes(32)
ENDS_S = (3_000, 40_000, 1_000_000)
DAY_S = 86_400


class Holders:
    """Sign statements about what was licensed."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self.sublicenses: list[Envelope] = []
        self.disputes: list[Envelope] = []
        self.statements: list[Envelope] = []  # of all kinds
        self.withdrawals: list[Envelope] = []

    def sign(self, now: float, licenses: Sequence[Envelope]) -> Envelope:
        """The next statement, or a withdrawal of an earlier one."""
        what = self._random.choice((*["pass"] * 8, "use", "removal", "dispute", "back"))
        if what == "back" and self.disputes and self._chance(0.3):
            return self.lifting()
        if what == "back" and self.sublicenses:
            return self.withdrawal()
        if what == "use":
            return self._state(self._use(now, licenses))
        if what == "removal":
            return self._state(self._removal(licenses))
        if what == "dispute":
            self.disputes.append(self._state(self._dispute(now, licenses)))
            return self.disputes[-1]
        return self.sublicense(now, licenses)

    def sublicense(self, now: float, licenses: Sequence[Envelope]) -> Envelope:
        """Often one that fits its parent; sometimes with a wrong parent, signer or license."""
        random = self._random
        if self.sublicenses and self._chance(0.25):
            return self._again(now)
        above = random.choice(self.sublicenses) if self.sublicenses and self._chance(0.7) else None
        parent = as_kind(above.message, Sublicense) if above else None
        names = self._some(above.items if above else self._of_one_holder(licenses))
        if self._chance(0.1):
            names = self._some([one.digest for one in licenses])
        signer = parent.grantee if parent and self._chance(0.9) else self._grantee_of(names, licenses)
        grantee = self._next_to(signer)
        issued = int(now) - random.randint(-100, 2_000)
        message = Sublicense(
            signer,
            content_root(names),
            len(names),
            above.digest if above else NO_PARENT,
            grantee,
            random.choice((ALL, ALL, ALL, ALL[1:], ALL[2:], ALL[::2])),
            ZERO,
            "",
            issued,
            max(issued, int(now)) + random.choice(ENDS_S) + random.randint(0, 1_000),
        )
        return self._passed_on(message, names)

    def _of_one_holder(self, licenses: Sequence[Envelope]) -> list[bytes]:
        """A few licenses of one grantee, so that chains meet; all, if nobody is named in any."""
        known = [one.address for one in HOLDERS]
        named = [(one.digest, as_kind(one.message, Consent).grantee) for one in licenses]
        closed = [(digest, who) for digest, who in named if who in known][:4]
        if not closed:
            return [digest for digest, _ in named]
        _, holder = self._random.choice(closed)
        return [digest for digest, who in closed if who == holder]

    def _again(self, now: float) -> Envelope:
        """Between the same two once more, so that too many come about."""
        one = self._random.choice(self.sublicenses[-4:])
        ends = int(now) + self._random.choice(ENDS_S) + self._random.randint(0, 1_000)
        message = replace(as_kind(one.message, Sublicense), expires_at=ends)
        return self._passed_on(message, one.items)

    def _passed_on(self, message: Sublicense, names: tuple[bytes, ...]) -> Envelope:
        envelope = self._state((message, names))
        self.sublicenses.append(envelope)
        return envelope

    def withdrawal(self) -> Envelope:
        """Somebody takes a statement back: its signer, or another, in vain."""
        one = self._random.choice(self.sublicenses)
        terms = as_kind(one.message, Sublicense)
        signer = next(who for who in HOLDERS if who.address == terms.signer)
        if self._chance(0.2):
            signer = self._random.choice(HOLDERS)
        scope = self._random.choice(
            (
                *[f"statement {hex_text(one.digest)}"] * 6,
                "statements",
                f"statements {to_subject(terms.grantee)}",
            )
        )
        envelope = signer.sign(Revocation(signer.address, (scope,)))
        self.withdrawals.append(envelope)
        return envelope

    def lifting(self) -> Envelope:
        """Somebody takes a dispute back, or all disputes: its signer, or another, in vain."""
        one = self._random.choice(self.disputes)
        signer = self._random.choice((HEEDED, HEEDED, OUTSIDER))
        scope = self._random.choice((*[f"statement {hex_text(one.digest)}"] * 4, "statements"))
        envelope = signer.sign(Revocation(signer.address, (scope,)))
        self.withdrawals.append(envelope)
        return envelope

    def _use(self, now: float, licenses: Sequence[Envelope]) -> tuple[Message, tuple[bytes, ...]]:
        names, signer = self._named(licenses)
        run = f"run-{self._random.randint(1, 99)}"
        return Use(signer, content_root(names), len(names), "train-ai", run, ZERO, int(now)), names

    def _removal(self, licenses: Sequence[Envelope]) -> tuple[Message, tuple[bytes, ...]]:
        names, signer = self._named(licenses)
        block = self._random.randint(0, 30)
        return Removal(signer, content_root(names), len(names), block, ZERO), names

    def _dispute(self, now: float, licenses: Sequence[Envelope]) -> tuple[Message, tuple[bytes, ...]]:
        random = self._random
        held = random.choice(licenses)
        subject = random.choice((FILES, CONTRIBUTORS))
        whom = bytes(12) + as_kind(held.message, Consent).contributor
        names = self._some(held.items) if subject == FILES else (whom,)
        signer = random.choice((HEEDED, OUTSIDER)).address
        issued = int(now) - random.randint(0, 1_000)
        times = issued, int(now) + random.choice((random.randint(5, 90), 30 * DAY_S))
        return Dispute(signer, content_root(names), len(names), subject, "voice", *times), names

    def _named(self, licenses: Sequence[Envelope]) -> tuple[tuple[bytes, ...], bytes]:
        """Licenses or sublicenses, and somebody who may hold them, or a stranger."""
        random = self._random
        if self.sublicenses and self._chance(0.6):
            one = random.choice(self.sublicenses)
            names = self._some([one.digest])
            holder = as_kind(one.message, Sublicense).grantee
        else:
            names = self._some([one.digest for one in licenses])
            holder = self._grantee_of(names, licenses)
        return names, OUTSIDER.address if self._chance(0.3) else holder

    def _state(self, made: tuple[Message, tuple[bytes, ...]]) -> Envelope:
        """Signed by the key of its signer; the contract wallet's has no signature."""
        message, names = made
        if message.signer == CONTRACT.address:
            envelope = Envelope(message, NETWORK, b"", names)
        else:
            people = (*HOLDERS, HEEDED, OUTSIDER)
            envelope = next(one for one in people if one.address == message.signer).sign(message, names)
        self.statements.append(envelope)
        return envelope

    def _grantee_of(self, names: Sequence[bytes], licenses: Sequence[Envelope]) -> bytes:
        grantee = next(
            (as_kind(one.message, Consent).grantee for one in licenses if one.digest == names[0]), b""
        )
        known = [one.address for one in HOLDERS]
        return grantee if grantee in known and self._chance(0.9) else self._random.choice(known)

    def _next_to(self, signer: bytes) -> bytes:
        """Mostly the next holder, so that chains are long; sometimes any."""
        known = [one.address for one in HOLDERS]
        at = known.index(signer)
        if at + 1 < len(known) and self._chance(0.8):
            return known[at + 1]
        return self._random.choice([one for one in known if one != signer])

    def _some(self, names: Sequence[bytes]) -> tuple[bytes, ...]:
        count = self._random.randint(1, min(3, len(names)))
        return tuple(sorted(self._random.sample(sorted(names), count)))

    def _chance(self, share: float) -> bool:
        return self._random.random() < share
