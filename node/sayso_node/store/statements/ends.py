"""When statements end (rule 15.7): by the time of the last final block, never by a clock.

A statement is about one holder, and ends a year after the last day on which the holder's removals are
due for the licenses that it names, or after these expired. What is over stays over, so each hash that is
has a bit, and is not looked at again.

Nothing that lands from now on ends anything before a year and a day have gone by. So it is enough to
look at each statement once in LOOK_S, and when it may end: an index has those whose time has come.

A statement may come before a license that it names, to a new node for example. So the first look at it
ends nothing while something that it names is unknown.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from sayso_node.store import messages
from sayso_node.store.admission.sponsors import count_ended
from sayso_node.store.chain import block_dates
from sayso_node.store.events import publishing
from sayso_node.store.interface import Reading, Writing
from sayso_node.store.revocations.known_bits import StoreBits
from sayso_node.store.statements import sublicenses
from sayso_node.store.statements.licenses import Licensed, licensed
from sayso_node.store.statements.moments import StoreMoments
from sayso_node.store.sync.index import change_sums, digest_change
from sayso_protocol.messages.envelope import Envelope, decode
from sayso_protocol.messages.message import DISPUTE, SUBLICENSE
from sayso_protocol.messages.statements.dispute import Dispute
from sayso_protocol.messages.statements.sublicense import Sublicense
from sayso_protocol.network import Network
from sayso_protocol.traces.duties import DAY_S, Block
from sayso_protocol.traces.endings import dispute_end, license_end
from sayso_protocol.traces.landings import Landings

LOOK_S: Final = 30 * DAY_S  # in this time each statement is looked at once
UNDATED_S: Final = 3_600  # until another look at what a block without a known time revoked
AWAITED_S: Final = 30 * DAY_S  # for which a new statement waits for what it names and is unknown
LOOKS_AT_ONCE: Final = 256  # statements of a round
PERMISSIONS_A_ROUND: Final = 65_536  # of a round, which ends after the license that reaches them
# Of statements that end in one transaction; the one that reaches them is the last.
HASHES_AT_ONCE: Final = 4_096


class Look(NamedTuple):
    """What a look at a statement found.

    Attributes:
        digest: Its digest, 32 bytes.
        again_at: When to look again, seconds since the epoch; None if it has ended.
        over: Which of the hashes that it names are over: a bit for each, and one for the first look.
        ends_at: The latest end of a license that was found, seconds since the epoch.
        hashes: How many it names.
    """

    digest: bytes
    again_at: int | None
    over: int
    ends_at: int
    hashes: int


def look(db: Reading, network: Network) -> list[Look]:
    """Look at the statements whose time has come, as far as one round goes; raises StoreDamaged."""
    final = block_dates.final(db)
    if final is None or final.time is None:
        return []
    query = (
        "SELECT over, ends_at, body FROM statement_ends"
        " JOIN messages ON messages.digest = statement_ends.digest"
        " WHERE look_at <= ? ORDER BY look_at, statement_ends.digest LIMIT ?"
    )
    rows = db.execute(query, (final.time, LOOKS_AT_ONCE)).fetchall()
    looking, found = _Looking(db, network, final), list[Look]()
    for over, ends_at, body in rows:
        if looking.left <= 0:
            break
        envelope = decode(body, network)
        one = Look(envelope.digest, None, int.from_bytes(over or b""), ends_at, len(envelope.items))
        found.append(looking.at(envelope, one))
    return found


def settle(db: Writing, network: Network, found: Sequence[Look]) -> int:
    """Do what a look found, and return how many statements have ended; the rest is found again."""
    left, ended = HASHES_AT_ONCE, 0
    for one in found:
        if one.again_at is not None:
            change = "UPDATE statement_ends SET look_at = ?, over = ?, ends_at = ? WHERE digest = ?"
            over = one.over.to_bytes(-(-one.over.bit_length() // 8))
            db.execute(change, (one.again_at, over, one.ends_at, one.digest))
        elif left > 0:
            left -= one.hashes
            ended += _end(db, network, one.digest)
    return ended


class _Looking:
    """One round."""

    def __init__(self, db: Reading, network: Network, final: Block) -> None:
        assert final.time is not None  # noqa: S101 - it is dated
        self._db, self._network, self._now = db, network, final.time
        self._bits, self._moments = StoreBits(db), StoreMoments(db, network, final.number)
        self._ends: dict[tuple[bytes, bytes], int] = {}  # of licenses for holders
        self.left = PERMISSIONS_A_ROUND

    def at(self, envelope: Envelope, before: Look) -> Look:
        """Look at one statement; `before` is what was found earlier."""
        match envelope.message:
            case Dispute() as dispute:
                end = dispute_end(dispute)
                return before._replace(again_at=end if end > self._now else None)
            case Sublicense() as passing:
                named = sublicenses.passed_by(self._db, before.digest, envelope.items)
                return self._at_hashes(envelope, before, passing.grantee, named)
            case other:
                return self._at_hashes(envelope, before, other.signer, set(envelope.items))

    def _at_hashes(self, envelope: Envelope, one: Look, holder: bytes, named: set[bytes]) -> Look:
        first = 1 << len(envelope.items)
        if not one.over & first:
            one = one._replace(over=one.over | first)
            if self._is_any_unknown(envelope.items):  # 15.7.11 It may be on its way.
                return one._replace(again_at=self._now + AWAITED_S)
        for at, name in enumerate(envelope.items):
            if name not in named or one.over >> at & 1:
                continue
            if self.left <= 0:
                return one._replace(again_at=self._now)
            if (end := self._end_of(name, holder, one)) is None:  # it may still come
                continue
            one = one._replace(ends_at=max(one.ends_at, end))
            if end > self._now:
                return one._replace(again_at=min(end, self._now + LOOK_S))
            one = one._replace(over=one.over | 1 << at)
        return one

    def _is_any_unknown(self, names: Sequence[bytes]) -> bool:
        unknown = set(names) - messages.known_of(self._db, names)
        return bool(unknown - sublicenses.grants_of(self._db, unknown).keys())

    def _end_of(self, name: bytes, holder: bytes, one: Look) -> int | None:
        """Return when what is named is over for a holder; None for what is not held and never was."""
        if (name, holder) in self._ends:
            return self._ends[name, holder]
        if found := licensed(self._db, self._network, name):
            self._ends[name, holder] = end = self._license_end(found, holder)
            return end
        query = "SELECT look_at FROM statement_ends WHERE digest = ?"
        if row := self._db.execute(query, (name,)).fetchone():
            return max(int(row[0]), self._now + 1)  # not before the sublicense that it names
        return one.ends_at if sublicenses.grants_of(self._db, [name]) else None

    def _license_end(self, found: Licensed, holder: bytes) -> int:
        consent, landed = found.consent, []
        if self._bits.speakers(consent.revokers):
            self.left -= found.permissions
            landings = Landings(consent, found.items, self._moments, found.files)
            landed = landings.of(holder, consent.purposes)
        end = license_end(consent, landed, block_dates.dates_of(self._db, (one.block for one in landed)))
        return self._now + UNDATED_S if end is None else end


def _end(db: Writing, network: Network, digest: bytes) -> bool:
    """Replace a statement by its tombstone, and remove it from where it is looked up."""
    query = "SELECT body, kind FROM messages WHERE digest = ?"
    row = db.execute(query, (digest,)).fetchone()
    if row is None or row[1] in messages.TOMBSTONES:
        return False
    envelope, kind = decode(row[0], network), row[1]
    signer = envelope.message.signer
    if kind == SUBLICENSE:
        _pass_no_more(db, envelope)
        for table in ("displaced", "sublicense_terms", "waiting_names"):
            db.execute(f"DELETE FROM {table} WHERE digest = ?", (digest,))  # noqa: S608 - our own names
    else:
        change = "DELETE FROM named WHERE hash = ? AND kind = ? AND signer = ? AND digest = ?"
        db.executemany(change, ((one, kind, signer, digest) for one in envelope.items))
    if kind == DISPUTE:
        change = "DELETE FROM disputes WHERE hash = ? AND signer = ? AND digest = ?"
        db.executemany(change, ((one, signer, digest) for one in envelope.items))
    change = "DELETE FROM statement_words WHERE signer = ? AND word = ?"
    db.execute(change, (signer, publishing.word_of(digest)))
    for table in ("anchor_queue", "statement_ends"):
        db.execute(f"DELETE FROM {table} WHERE digest = ?", (digest,))  # noqa: S608 - our own names
    messages.bury_statement(db, digest)
    assert envelope.sponsor  # noqa: S101 - each kept statement has one (rule 7.3)
    count_ended(db, envelope.sponsor.node_key, digest, len(envelope.items))
    change_sums(db, kind, [digest_change(digest, -1)])
    return True


def _pass_no_more(db: Writing, envelope: Envelope) -> None:
    """Remove the rows of a sublicense, one for each license that it passes on."""
    terms = sublicenses.sublicense_of(db, envelope.digest)
    if terms is not None:
        grants = sublicenses.grants_of(db, envelope.items)
        db.executemany(
            "DELETE FROM passed_on"
            " WHERE license = ? AND grantee = ? AND counts IN (0, 1) AND sublicense = ?",
            ((number, terms.grantee, terms.number) for _, number, *_ in grants.values()),
        )
