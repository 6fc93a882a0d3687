"""How verified messages are admitted: a row for each kind, in the order in which a bundle is kept.

7.12 Consents come first: a revocation that comes along with its consent is of something known.
"""

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from sayso_node.store.admission import consents, revocations
from sayso_node.store.admission.consents import Keeper
from sayso_node.store.admission.pending import PendingRoom
from sayso_node.store.admission.revocations import Admitted
from sayso_node.store.interface import Writing
from sayso_protocol.messages.consent import Consent
from sayso_protocol.messages.envelope import Envelope
from sayso_protocol.messages.kinds import check_rows
from sayso_protocol.messages.message import CONSENT, REVOCATION, Message, as_kind


class Circumstances(NamedTuple):
    """What admission depends on beside the messages.

    Attributes:
        keeper: Who keeps what is sponsored.
        room: How much is kept of what may never be of use.
        source: From whom the messages came: whoever shares a name shares its quotas.
        now: Seconds since the epoch.
        block_time: When the block was made at which contract wallets were asked, likewise.
    """

    keeper: Keeper
    room: PendingRoom
    source: str
    now: float
    block_time: float


class Admission(NamedTuple):
    """How one kind is admitted.

    Attributes:
        keep: Keep messages of the kind, in the writing transaction; what became of each.
        issued_at: What the signer gives as the moment of signing, seconds since the epoch; 0 if nothing.
    """

    keep: Callable[[Writing, Sequence[Envelope], Circumstances], list[Admitted]]
    issued_at: Callable[[Message], int] = lambda _message: 0


def _keep_consents(db: Writing, envelopes: Sequence[Envelope], at: Circumstances) -> list[Admitted]:
    return consents.admit(db, envelopes, at.keeper, at.now, at.block_time)


def _keep_revocations(db: Writing, envelopes: Sequence[Envelope], at: Circumstances) -> list[Admitted]:
    return [revocations.admit(db, one, at.source, at.now, at.room) for one in envelopes]


ADMISSIONS: Final = {
    CONSENT: Admission(_keep_consents, lambda message: as_kind(message, Consent).issued_at),
    REVOCATION: Admission(_keep_revocations),
}
check_rows(ADMISSIONS, "admission")


def admit(db: Writing, envelopes: Sequence[Envelope], at: Circumstances) -> list[Admitted]:
    """Keep verified messages of any kinds; what became of each."""
    admitted: dict[int, Admitted] = {}
    for kind, row in ADMISSIONS.items():
        places = [place for place, one in enumerate(envelopes) if one.message.kind == kind]
        if places:
            kept = row.keep(db, [envelopes[place] for place in places], at)
            admitted |= zip(places, kept, strict=True)
    return [admitted[place] for place in range(len(envelopes))]
