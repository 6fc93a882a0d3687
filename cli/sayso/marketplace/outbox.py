"""The outbox: signed messages that a node has to hear, kept until one has taken each of them in.

A message is named by its digest, so one that is put or sent twice is one message. Nothing is ever given
up: what a node refuses is tried again, later each time, and shown with the code of the refusal.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, select, update

from sayso.marketplace.tables import insert_once, messages, parts
from sayso_protocol.messages.envelope import Envelope, decode, encode
from sayso_protocol.network import Network

FIRST_WAIT_S: Final = 2.0
LONGEST_WAIT_S: Final = 3_600.0
MESSAGES_AT_ONCE: Final = 60  # messages, as many as a request carries at their largest


@dataclass(frozen=True)
class Waiting:
    """Waiting is a message that no node has taken in yet.

    Attributes:
        envelope: The signed message.
        reference: The shop's own name for what it belongs to.
        attempts: How often it was sent in vain.
        code: Why, as the code of an error; empty before the first attempt.
    """

    envelope: Envelope
    reference: str
    attempts: int
    code: str


def put(db: Connection, envelopes: Iterable[Envelope], reference: str) -> int:
    """Put messages into the outbox, each once; returns how many were new."""
    return insert_once(
        db,
        messages,
        [
            {
                "digest": one.digest,
                "kind": one.message.kind,
                "envelope": encode(one),
                "reference": reference,
                "attempts": 0,
                "next_at": 0.0,
                "sent_at": None,
                "code": "",
            }
            for one in envelopes
        ],
    )


def waiting(db: Connection, network: Network, before: float | None = None) -> list[Waiting]:
    """Return all messages to send, in the order they were put, or a request of those due `before`."""
    asked = select(messages).where(messages.c.sent_at.is_(None)).order_by(messages.c.seq)
    if before is not None:
        asked = asked.where(messages.c.next_at <= before).limit(MESSAGES_AT_ONCE)
    return [
        Waiting(decode(one.envelope, network), one.reference, one.attempts, one.code)
        for one in db.execute(asked)
    ]


def note_sent(
    db: Connection, sent: Sequence[bytes], failed: Sequence[tuple[Waiting, str]], now: float
) -> None:
    """Take what was sent out of the outbox; leave the others, with a code, for a later attempt."""
    for name in sent:
        db.execute(update(messages).where(messages.c.digest == name).values(sent_at=now, code=""))
    for one, code in failed:
        wait = min(FIRST_WAIT_S * 2 ** min(one.attempts, 16), LONGEST_WAIT_S)
        change = {"attempts": one.attempts + 1, "next_at": now + wait, "code": code}
        db.execute(update(messages).where(messages.c.digest == one.envelope.digest).values(change))


def known(db: Connection, digests: Iterable[bytes]) -> bool:
    """Return whether one of these messages was put before."""
    asked = select(messages.c.seq).limit(1)
    return any(db.execute(asked.where(messages.c.digest.in_(some))).first() for some in parts(digests))


def signed_for(db: Connection, reference: str, network: Network, kind: int) -> list[Envelope]:
    """Return the messages of a kind that were signed under a reference, in order."""
    asked = select(messages.c.envelope).where(messages.c.reference == reference, messages.c.kind == kind)
    return [decode(one, network) for one in db.execute(asked.order_by(messages.c.seq)).scalars()]


def envelopes_of(db: Connection, digests: Iterable[bytes], network: Network) -> Iterator[Envelope]:
    """Yield kept messages by digest; those that are not kept are left out."""
    for name in digests:
        asked = select(messages.c.envelope).where(messages.c.digest == name)
        if (found := db.execute(asked).scalar()) is not None:
            yield decode(found, network)
