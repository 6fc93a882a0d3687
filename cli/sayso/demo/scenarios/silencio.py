"""Silencio: phones that record sessions in one-minute chunks, in which other people may be heard.

A session is licensed by two consents, one for the audio and one for the sound levels, so that one of
them can be taken back alone. A person who was only nearby disputes a file.
"""

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from typing import Final

from eth_account.signers.local import LocalAccount

from sayso.contributor.keystore import new_account
from sayso.contributor.licensing import Terms, build_consents, sign_message
from sayso.contributor.revoking import license_masks, license_scopes, revoke_masks, revoke_scopes
from sayso.demo.opening import OPENING
from sayso.demo.scenarios.acting import DAY_S, carried, licensed, own_address
from sayso.demo.scenarios.figures import measure
from sayso.demo.stage import Stage, Step
from sayso.errors import DemoFailed
from sayso.holder.drafts import NOTHING
from sayso.holder.withdrawing import withdrawals
from sayso_protocol.messages.envelope import Envelope
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.messages.statements.dispute import FILES, Dispute
from sayso_protocol.network import Network
from sayso_protocol.network_file import Named
from sayso_protocol.permissions.scopes import Scope
from sayso_protocol.permissions.words import Masks
from sayso_protocol.verdicts.query import Query
from sayso_protocol.verdicts.verdict import Reason, Row

_MARKETPLACE: Final = "silencio.network"
_TRAINING: Final = "train-ai"
_HOUR: Final = 60  # chunks
_SHORT: Final = 20  # chunks of an ordinary session
_AFTERNOON: Final = range(2 * _HOUR, 4 * _HOUR)  # 15 to 17 h of a session that begins at 13 h
_SESSIONS_A_DAY: Final = 2
_AT_ONCE: Final = 120  # consents in a request


@dataclass(frozen=True)
class Session:
    """Session is one recording: the phone's key, and a consent for each class of data."""

    phone: LocalAccount
    audio: Envelope
    levels: Envelope

    @property
    def rows(self) -> list[Row]:
        """Return the rows of all chunks, audio first."""
        return [Row(one.digest, item) for one in (self.audio, self.levels) for item in one.items]


@dataclass
class Silencio(Stage):
    """Silencio is the stage of this scenario: the marketplace, the phones' sessions, a bystander."""

    shop: LocalAccount = field(default_factory=new_account)
    bystander: LocalAccount = field(default_factory=new_account)
    sessions: list[Session] = field(default_factory=list)

    @property
    def heeded(self) -> tuple[Named, ...]:
        """See Stage: the marketplace's disputes count."""
        return (Named(own_address(self.shop), "Silencio", _MARKETPLACE),)

    @property
    def companies(self) -> dict[bytes, str]:
        """See Stage."""
        return {own_address(self.shop): _MARKETPLACE}

    @property
    def query(self) -> Query:
        """Return what the marketplace asks before it trains."""
        return Query(own_address(self.shop), _TRAINING)

    @property
    def tuesday(self) -> Session:
        """Return the session that this scenario tells of; raises DemoFailed before it is recorded."""
        if not self.sessions:
            raise DemoFailed("nothing is recorded yet")
        return self.sessions[0]

    async def are(self, rows: list[Row], reason: Reason) -> bool:
        """Return whether C gives one reason for all rows."""
        return set(await self.reasons("C", self.query, rows)) == {reason}

    async def clear(self, node: str, rows: list[Row]) -> set[Row]:
        """Return the rows that a node clears."""
        reasons = await self.reasons(node, self.query, rows)
        return {row for row, one in zip(rows, reasons, strict=True) if one is Reason.GRANTED}

    async def revoke(self, revocations: Iterable[Revocation], clear: set[Row]) -> float:
        """Sign and hand in at A, until C clears these rows of the session only; seconds."""
        begun, rows = time.monotonic(), self.tuesday.rows

        async def exactly() -> bool:
            return await self.clear("C", rows) == clear

        await self.hand_in("A", self.tuesday.phone, *revocations)
        await self.until("C refuses exactly what was taken back", exactly)
        return self.took(begun)


def recorded(network: Network, shop: bytes, minutes: int, now: int) -> Session:
    """Return a session of a new phone: one signature for its audio, one for its levels."""
    phone = new_account()
    who = own_address(phone)
    terms = Terms(shop, (_TRAINING,), now + 365 * DAY_S, _MARKETPLACE)
    consents = []
    for data in (b"audio", b"levels"):
        items = [sha256(who + data + minute.to_bytes(2)).digest() for minute in range(minutes)]
        ((consent, chunks),) = build_consents(who, items, terms, now)
        consents.append(sign_message(phone, consent, network, chunks))
    return Session(phone, *consents)


async def record(stage: Silencio) -> str:
    """Every phone records a session, and licenses it."""
    now, shop, network = int(time.time()), own_address(stage.shop), stage.trusted.network
    lengths = [4 * _HOUR] + [_SHORT] * (stage.options.phones - 1)
    stage.sessions = [recorded(network, shop, minutes, now) for minutes in lengths]
    consents = [one for session in stage.sessions for one in (session.audio, session.levels)]
    for start in range(0, len(consents), _AT_ONCE):
        await stage.submit("A", consents[start : start + _AT_ONCE])
    rows = [row for session in stage.sessions for row in session.rows]
    await stage.until("C clears all chunks", partial(stage.are, rows, Reason.GRANTED))
    return (
        f"{len(stage.sessions):,} phones licensed {len(rows):,} one-minute chunks with {len(consents):,}"
        f" signatures: audio and levels of a session apart; C clears all of them for {_MARKETPLACE}"
    )


async def take_an_afternoon_back(stage: Silencio) -> str:
    """Tuesday, 15 to 17 h, in both classes of data."""
    session = stage.tuesday
    masks: Masks = {}
    gone = set[Row]()
    for one in (session.audio, session.levels):
        items = [one.items[minute] for minute in _AFTERNOON]
        masks |= license_masks(licensed(one), items)
        gone |= {Row(one.digest, item) for item in items}
    revocations = revoke_masks(own_address(session.phone), masks)
    took = await stage.revoke(revocations, set(session.rows) - gone)
    return (
        f"`Tuesday 15 to 17 h` takes {len(revocations)} signature(s): C refuses exactly {len(gone)}"
        f" chunks, {took:.2f} s after it"
    )


async def take_the_audio_back(stage: Silencio) -> str:
    """No audio; levels may stay."""
    session = stage.tuesday
    left = {Row(session.levels.digest, item) for item in session.levels.items[: _AFTERNOON.start]}
    scopes = license_scopes(licensed(session.audio))
    took = await stage.revoke(revoke_scopes(own_address(session.phone), scopes), left)
    return f"no audio any more, and the levels stay: {len(left)} chunks are clear, {took:.2f} s after it"


async def take_everything_back(stage: Silencio) -> str:
    """Everything of this phone; nobody else's sessions change."""
    contributor = own_address(stage.tuesday.phone)
    took = await stage.revoke(revoke_scopes(contributor, [Scope("everything")]), set())
    others = [row for session in stage.sessions[1:] for row in session.rows]
    if not await stage.are(others, Reason.GRANTED):
        raise DemoFailed("sessions of other phones have changed, too")
    return f"everything is taken back, {took:.2f} s after it; {len(others):,} chunks of others are clear"


async def hear_a_bystander(stage: Silencio) -> str:
    """A person who was nearby disputes a file; the marketplace heeds it after review, and lifts it."""
    now = int(time.time())
    session = stage.sessions[1]
    item = session.audio.items[0]
    rows = [Row(session.audio.digest, item)]

    def dispute(account: LocalAccount) -> Dispute:
        who = own_address(account)
        return Dispute(who, NOTHING, 1, FILES, "voice", now, now + 30 * DAY_S)

    await stage.state("A", stage.bystander, dispute(stage.bystander), [item])
    if not await stage.are(rows, Reason.GRANTED):
        raise DemoFailed("a dispute that nobody heeds stops a row")
    begun = time.monotonic()
    signed = await stage.state("A", stage.shop, dispute(stage.shop), [item])
    await stage.until("C refuses the file", partial(stage.are, rows, Reason.DISPUTED))
    took = time.monotonic() - begun
    lifted = withdrawals(own_address(stage.shop), [one.digest for one in signed])
    await stage.hand_in("A", stage.shop, *lifted)
    await stage.until("C clears the file again", partial(stage.are, rows, Reason.GRANTED))
    return (
        f"a bystander's dispute stops nothing by itself; {_MARKETPLACE} reviews it and disputes the"
        f" file, which C refuses {took:.2f} s later; the marketplace lifts it, and C clears it again"
    )


async def count_costs(stage: Silencio) -> str:
    """What a phone costs on a day with two sessions."""
    await carried(stage, len(stage.refused_after))
    figures = await measure(stage, stage.options.prices)
    phones = len(stage.sessions)
    gas = figures.gas_per_license * 2 * _SESSIONS_A_DAY
    size = figures.gossip_bytes / phones / 3 * _SESSIONS_A_DAY
    return (
        f"a phone with {_SESSIONS_A_DAY} sessions a day costs each node {size / 1000:.1f} kB of gossip,"
        f" and its operator {gas:,.0f} gas, which is ${figures.prices.dollars(gas):.2g}"
    )


SILENCIO_STEPS: tuple[Step[Silencio], ...] = (
    *OPENING,
    Step("sessions", "Phones record, and license their sessions", ("nodes",), record),
    Step("hours", "Two hours are taken back", ("sessions",), take_an_afternoon_back),
    Step("audio", "The audio is taken back, the levels stay", ("hours",), take_the_audio_back),
    Step("everything", "Everything is taken back", ("audio",), take_everything_back),
    Step("bystander", "A bystander disputes a file", ("sessions",), hear_a_bystander),
    Step("costs", "What a phone costs", ("sessions",), count_costs),
)
