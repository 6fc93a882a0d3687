"""The tables of audiences (store/events/), and the step that fills them from what is stored.

Events of the past concern everybody, because nobody noted whom they concerned.
"""

from collections.abc import Iterator
from typing import Final

import msgpack

from sayso_node.store import many
from sayso_node.store.events import circles, publishing
from sayso_node.store.events import feed as events
from sayso_node.store.events.circles import EVERYBODY, Role
from sayso_node.store.events.feed import Event
from sayso_node.store.interface import Writing
from sayso_protocol.messages.message import CONSENT, SUBLICENSE

AUDIENCE: Final = """
CREATE TABLE circles (
    person BLOB NOT NULL,
    role INTEGER NOT NULL,  -- of the other one (events/circles.py)
    address BLOB NOT NULL,
    PRIMARY KEY (person, role, address)
) WITHOUT ROWID;
CREATE TABLE event_parties (
    role INTEGER NOT NULL,
    address BLOB NOT NULL,  -- whom the event concerns; empty with role 0: everybody
    seq INTEGER NOT NULL,
    PRIMARY KEY (role, address, seq)
) WITHOUT ROWID;
CREATE TABLE statement_words (
    signer BLOB NOT NULL,
    word BLOB NOT NULL,  -- of the scope that withdraws this statement alone
    digest BLOB NOT NULL,  -- of a kept statement
    kind INTEGER NOT NULL,
    PRIMARY KEY (signer, word)
) WITHOUT ROWID;
"""

AUDIENCE_STEP: Final = f"""
ALTER TABLE events ADD COLUMN kind INTEGER NOT NULL DEFAULT 2;
ALTER TABLE events ADD COLUMN withdrawn INTEGER NOT NULL DEFAULT 0;
{AUDIENCE}
"""
_AT_ONCE: Final = 1_000  # messages
_BETWEEN: Final = (
    "INSERT INTO circles SELECT DISTINCT contributor, {}, {} FROM messages"
    " JOIN {} ON license = messages.digest WHERE true ON CONFLICT DO NOTHING"
)


def fill_audience(db: Writing) -> None:
    """Fill the tables from stored messages."""
    for role, column, table in (
        (Role.GRANTEE, "grantees.grantee", "grantees"),
        (Role.HOLDER, "passed_on.grantee", "passed_on"),
        (Role.LICENSOR, "passed_on.signer", "passed_on"),
    ):
        db.execute(_BETWEEN.format(int(role), column, table))
    for some in _messages(db):
        _fill_from(db, some)
    db.execute("INSERT INTO event_parties SELECT ?, ?, seq FROM events", (*EVERYBODY,))


Row = tuple[int, bytes, int, bytes, bytes, float]


def _messages(db: Writing) -> Iterator[list[Row]]:
    query = (
        "SELECT seq, digest, kind, contributor, body, arrived_at FROM messages"
        " WHERE seq > ? ORDER BY seq LIMIT ?"
    )
    seq = -1
    while found := db.execute(query, (seq, _AT_ONCE)).fetchall():
        seq = found[-1][0]
        yield found


def _fill_from(db: Writing, some: list[Row]) -> None:
    links, past, words = [], list[Event](), []
    for _, digest, kind, signer, body, arrived_at in some:
        if kind == CONSENT:
            terms = msgpack.unpackb(body)[2]
            links += circles.granted(signer, terms[10], terms[3])
        elif kind >= SUBLICENSE:
            past.append(Event(signer, 0, 0, publishing.SIGNED, digest, arrived_at, kind))
            words.append((signer, publishing.word_of(digest), digest, kind))
    circles.add(db, links)
    many.insert(db, "INTO statement_words", words)
    if past:
        events.add_many(db, db.next_seq("events", len(past)), past)
