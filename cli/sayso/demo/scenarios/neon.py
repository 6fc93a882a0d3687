"""Neon Mobile: calls, which belong to two people.

Nothing is clear before both have consented, and either takes the call back. Each call is signed with a
key of its own that is derived from one seed, so that nobody sees which calls are of one person.
"""

import secrets
import time
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from typing import Final

from eth_account.signers.local import LocalAccount

from sayso.contributor.derived_keys import Branch, derived_account
from sayso.contributor.keystore import new_account
from sayso.contributor.licensing import Terms, build_consents, sign_message
from sayso.contributor.revoking import license_scopes, revoke_scopes
from sayso.demo.opening import OPENING
from sayso.demo.scenarios.acting import DAY_S, carried, licensed, own_address
from sayso.demo.scenarios.revealed import revealed_of
from sayso.demo.stage import Stage, Step
from sayso.errors import DemoFailed
from sayso.holder.drafts import NOTHING
from sayso_protocol.messages.envelope import Envelope
from sayso_protocol.messages.statements.sublicense import NO_PARENT, Sublicense
from sayso_protocol.network import Network
from sayso_protocol.verdicts.query import Query
from sayso_protocol.verdicts.verdict import Reason, Row

_MARKETPLACE: Final = "neonmobile.com"
_RESALE, _TRAINING = "resale", "train-generative-ai"
_SEED_BYTES: Final = 32
_SALT_BYTES: Final = 32


@dataclass(frozen=True)
class Person:
    """Person has one seed, from which all keys come, and a guardian who has another.

    Attributes:
        seed: 32 secret bytes.
        guardian: The guardian's seed.
    """

    seed: bytes = field(default_factory=partial(secrets.token_bytes, _SEED_BYTES), repr=False)
    guardian: bytes = field(default_factory=partial(secrets.token_bytes, _SEED_BYTES), repr=False)

    def key(self, call: int) -> LocalAccount:
        """Return the key of a call."""
        return derived_account(self.seed, call)

    def guardian_key(self, call: int) -> LocalAccount:
        """Return the guardian's key for that call."""
        return derived_account(self.guardian, call, Branch.GUARDIAN)


@dataclass(frozen=True)
class Call:
    """Call is one recorded call: its salted hash, and the consents of both.

    Attributes:
        number: Which call of these two people.
        salt: 32 random bytes, which go to the marketplace with the recording, and to nobody else.
        caller: The consent of the person who called.
        called: The consent of the other.
    """

    number: int
    salt: bytes
    caller: Envelope
    called: Envelope

    @property
    def both(self) -> tuple[Envelope, Envelope]:
        """Return both consents."""
        return self.caller, self.called

    @property
    def rows(self) -> list[Row]:
        """Return the row of either license."""
        return [Row(one.digest, one.items[0]) for one in self.both]


@dataclass
class Neon(Stage):
    """Neon is the stage of this scenario: two people, the marketplace, a lab, and their calls."""

    caller: Person = field(default_factory=Person)
    called: Person = field(default_factory=Person)
    shop: LocalAccount = field(default_factory=new_account)
    lab: LocalAccount = field(default_factory=new_account)
    calls: list[Call] = field(default_factory=list)

    @property
    def companies(self) -> dict[bytes, str]:
        """See Stage."""
        return {own_address(self.shop): _MARKETPLACE, own_address(self.lab): "the lab"}

    async def are(self, account: LocalAccount, call: Call, *reasons: Reason) -> bool:
        """Return whether C gives each row of a call one of these reasons."""
        query = Query(own_address(account), _TRAINING)
        return set(await self.reasons("C", query, call.rows)) <= {*reasons}

    async def passes_on(self, *licenses: Envelope) -> None:
        """Let the marketplace pass licenses on to the lab, in one message."""
        now = int(time.time())
        shop, lab = own_address(self.shop), own_address(self.lab)
        end, count = now + 180 * DAY_S, len(licenses)
        offer = Sublicense(shop, NOTHING, count, NO_PARENT, lab, (_TRAINING,), NOTHING, "", now, end)
        await self.state("A", self.shop, offer, [one.digest for one in licenses])


def recorded(stage: Neon, network: Network, number: int) -> Call:
    """Return a call: both people sign with keys, and name guardians, that they use for it alone."""
    people = (stage.caller, stage.called)
    keys = [person.key(number) for person in people]
    salt, now = secrets.token_bytes(_SALT_BYTES), int(time.time())
    recording = sha256(f"the recording of call {number}".encode()).digest()
    item = sha256(salt + recording).digest()  # rule 1.5.1
    parties = tuple(own_address(one) for one in keys)
    consents = []
    for person, account in zip(people, keys, strict=True):
        guardian = own_address(person.guardian_key(number))
        shop, end = own_address(stage.shop), now + 365 * DAY_S
        terms = Terms(shop, (_RESALE, _TRAINING), end, _MARKETPLACE, parties, guardian)
        ((consent, items),) = build_consents(own_address(account), [item], terms, now)
        consents.append(sign_message(account, consent, network, items))
    return Call(number, salt, *consents)


async def hear_one_side(stage: Neon) -> str:
    """Only the caller consents."""
    call = recorded(stage, stage.trusted.network, 0)
    stage.calls.append(call)
    await stage.submit("A", [call.caller])
    query = Query(own_address(stage.shop), _TRAINING)

    async def incomplete() -> bool:
        return await stage.reasons("C", query, call.rows[:1]) == (Reason.INCOMPLETE,)

    await stage.until("C calls it incomplete", incomplete)
    return "the caller alone has consented: C answers `incomplete`"


async def hear_both(stage: Neon) -> str:
    """The other person consents, too."""
    (call,) = stage.calls
    await stage.submit("B", [call.called])
    await stage.until("C clears the call", partial(stage.are, stage.shop, call, Reason.GRANTED))
    return f"both have consented: the call is clear for {_MARKETPLACE}"


async def pass_on(stage: Neon) -> str:
    """Passing on one side only clears nothing."""
    (call,) = stage.calls
    await stage.passes_on(call.caller)
    refused = (Reason.INCOMPLETE, Reason.OTHER_GRANTEE)
    await stage.until("C knows the sublicense", partial(_is_passed_on, stage, call.caller.digest))
    if not await stage.are(stage.lab, call, *refused):
        raise DemoFailed("one person's license is enough for the lab")
    await stage.passes_on(*call.both)
    await stage.until("C clears the call", partial(stage.are, stage.lab, call, Reason.GRANTED))
    return "one person's license clears nothing for the lab; passed on together, both do"


async def _is_passed_on(stage: Neon, license_hash: bytes) -> bool:
    async with stage.nodes["C"].client(stage.trusted) as client:
        return bool(await client.sublicenses(license_hash, own_address(stage.lab)))


async def call_again(stage: Neon) -> str:
    """A second call of the same two people, signed with other keys of the same seeds."""
    second = recorded(stage, stage.trusted.network, 1)
    stage.calls.append(second)
    await stage.submit("A", second.both)
    await stage.until("C clears it", partial(stage.are, stage.shop, second, Reason.GRANTED))
    return "the same two people call again: both sign with keys, and name guardians, of this call alone"


async def take_back(stage: Neon) -> str:
    """Either of the two takes the call back."""
    call = stage.calls[0]
    account = stage.called.key(call.number)
    scopes = license_scopes(licensed(call.called))
    begun = time.monotonic()
    await stage.hand_in("A", account, *revoke_scopes(own_address(account), scopes))
    for who in (stage.shop, stage.lab):
        await stage.until("C refuses it", partial(stage.are, who, call, Reason.REVOKED))
    took = stage.took(begun)
    return (
        f"the person who was called takes it back: refused for {_MARKETPLACE} and the lab,"
        f" {took:.2f} s after it"
    )


async def lose_a_phone(stage: Neon) -> str:
    """The caller's phone is lost; the guardian takes the second call back."""
    call = stage.calls[1]
    guardian = stage.caller.guardian_key(call.number)
    held = licensed(call.caller)
    scopes = license_scopes(held, ward=held.consent.contributor)
    begun = time.monotonic()
    await stage.hand_in("A", guardian, *revoke_scopes(own_address(guardian), scopes))
    await stage.until("C refuses it", partial(stage.are, stage.shop, call, Reason.REVOKED))
    took = stage.took(begun)
    await carried(stage, len(stage.calls))
    return (
        "the caller's phone is lost: the guardian takes the call back with the key of this call,"
        f" {took:.2f} s after it; the operator pays for both on chain"
    )


async def look_on(stage: Neon) -> str:
    """Whoever reads the chain and a node finds nothing that links the two calls, and no salt."""
    public = {*stage.companies, stage.trusted.network.registry, NOTHING}
    public |= {one.key for one in stage.trusted.operators}
    first, second = [await revealed_of(stage, "C", one.both) for one in stage.calls]
    if shared := (first.names & second.names) - public:
        raise DemoFailed(f"both calls show {', '.join(sorted(one.hex() for one in shared))}")
    for call in stage.calls:
        if any(call.salt.hex() in one.text for one in (first, second)):
            raise DemoFailed("a salt can be read")
    seen = len((first.names | second.names) - public)
    return (
        f"the chain and node C show {seen} addresses, hashes and signatures of the two calls, which have"
        f" none in common; what they share is {_MARKETPLACE}, the purposes, the node and the minute"
    )


NEON_STEPS: tuple[Step[Neon], ...] = (
    *OPENING,
    Step("one", "One of two people consents", ("nodes",), hear_one_side),
    Step("both", "The other consents, too", ("one",), hear_both),
    Step("sale", "The call is sold on", ("both",), pass_on),
    Step("again", "They call again", ("both",), call_again),
    Step("take-back", "Either takes a call back", ("sale",), take_back),
    Step("guardian", "A phone is lost", ("again",), lose_a_phone),
    Step("looking", "Somebody else looks on", ("take-back", "guardian"), look_on),
)
