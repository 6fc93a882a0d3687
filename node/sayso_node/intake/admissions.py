"""Admits verified messages into the store, with one function for each kind of message.

Consents are admitted first, so a revocation or a statement in the same bundle as its consent is stored
at once (rules 7.12 and 7.17).
"""

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from sayso_node.store.admission import consents, revocations, statements
from sayso_node.store.admission.keeper import Keeper, Step
from sayso_node.store.admission.pending import PendingRoom
from sayso_node.store.admission.revocations import Admitted
from sayso_node.store.interface import Writing
from sayso_protocol.messages.consent import Consent
from sayso_protocol.messages.envelope import Envelope
from sayso_protocol.messages.kinds import check_rows
from sayso_protocol.messages.message import (
    CONSENT,
    DISPUTE,
    REMOVAL,
    REVOCATION,
    SUBLICENSE,
    USE,
    Message,
    as_kind,
)
from sayso_protocol.messages.statements.dispute import Dispute
from sayso_protocol.messages.statements.sublicense import Sublicense
from sayso_protocol.messages.statements.use import Use


class Circumstances(NamedTuple):
    """The inputs of an admission besides the messages.

    Attributes:
        keeper: This node's key, its quotas for sponsors, and whom it heeds.
        room: Limits for pending revocations.
        source: Name of the sender; senders of the same name share their limits.
        now: Seconds since the epoch.
        block_time: Time of the block at which contract wallets were asked, seconds since the epoch.
    """

    keeper: Keeper
    room: PendingRoom
    source: str
    now: float
    block_time: float


class Admission(NamedTuple):
    """How one kind of message is admitted.

    Attributes:
        keep: Stores messages of the kind in the writing transaction; returns the outcome of each.
        issued_at: The time of signing that the message states, seconds since the epoch; 0 without one.
    """

    keep: Callable[[Writing, Sequence[Envelope], Circumstances], list[Admitted]]
    issued_at: Callable[[Message], int] = lambda _message: 0


def _keep_consents(db: Writing, envelopes: Sequence[Envelope], at: Circumstances) -> list[Admitted]:
    return consents.admit(db, envelopes, at.keeper, at.now, at.block_time)


def _keep_revocations(db: Writing, envelopes: Sequence[Envelope], at: Circumstances) -> list[Admitted]:
    rest = (at.source, at.now, at.room, at.keeper.heeded)
    return [revocations.admit(db, one, *rest) for one in envelopes]


def _keep_statements(db: Writing, envelopes: Sequence[Envelope], at: Circumstances) -> list[Admitted]:
    step = Step(at.keeper, envelopes[0].network, at.now)
    return statements.admit(db, envelopes, at.source, step)


ADMISSIONS: Final = {
    CONSENT: Admission(_keep_consents, lambda message: as_kind(message, Consent).issued_at),
    SUBLICENSE: Admission(_keep_statements, lambda message: as_kind(message, Sublicense).issued_at),
    USE: Admission(_keep_statements, lambda message: as_kind(message, Use).used_at),
    REMOVAL: Admission(_keep_statements),
    DISPUTE: Admission(_keep_statements, lambda message: as_kind(message, Dispute).issued_at),
    REVOCATION: Admission(_keep_revocations),
}
check_rows(ADMISSIONS, "admission")


def admit(db: Writing, envelopes: Sequence[Envelope], at: Circumstances) -> list[Admitted]:
    """Admit verified messages of any kinds; returns the outcome of each."""
    admitted: dict[int, Admitted] = {}
    for kind, row in ADMISSIONS.items():
        places = [place for place, one in enumerate(envelopes) if one.message.kind == kind]
        if places:
            kept = row.keep(db, [envelopes[place] for place in places], at)
            admitted |= zip(places, kept, strict=True)
    return [admitted[place] for place in range(len(envelopes))]
