"""Decides which statements are kept (rule 7.17), and keeps at once what each newcomer completes.

What a statement needs is a name (see waiting.py): a consent or a kept sublicense of a hash to its
signer. When one comes, whatever waited for it is kept in the same step, and what that completes in turn.
Every turn uses up the names that it found, so the work is bounded by what waited; and the final state
does not depend on the order in which messages came.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Final, NamedTuple

from sayso_node.store import many, messages
from sayso_node.store.admission import marks, revocations
from sayso_node.store.admission.keeper import Step
from sayso_node.store.admission.marks import Dropped
from sayso_node.store.admission.revocations import Admitted
from sayso_node.store.admission.sponsors import StatementRooms
from sayso_node.store.chain import chain_state, endorsements
from sayso_node.store.events import publishing
from sayso_node.store.interface import Reading, Writing
from sayso_node.store.revocations.bits import add_people
from sayso_node.store.statements import sublicenses, waiting
from sayso_node.store.statements.passing import Passing, pass_on
from sayso_node.store.statements.sublicenses import GrantColumns, Grants, Met, SublicenseTerms
from sayso_node.store.statements.waiting import ANY, Name, Waiting
from sayso_node.store.sync import index as sync_index
from sayso_protocol.limits import LIMITS
from sayso_protocol.messages.envelope import Envelope, decode, encode
from sayso_protocol.messages.message import DISPUTE, SUBLICENSE, as_kind, of_kind
from sayso_protocol.messages.statements.dispute import Dispute
from sayso_protocol.messages.statements.sublicense import NO_PARENT, Sublicense

_ENDORSED: Final = (
    "SELECT waiting.digest FROM waiting JOIN endorsements"
    " ON endorsements.signer = waiting.signer AND endorsements.digest = waiting.digest"
    " WHERE endorsed = 0 AND block_number <= ?"
)


def admit(db: Writing, envelopes: Sequence[Envelope], source: str, step: Step) -> list[Admitted]:
    """Keep verified statements, and what they complete, or make them wait; returns each outcome."""
    digests = [one.digest for one in envelopes]
    if len(set(digests)) < len(digests):
        return [outcome for one in envelopes for outcome in admit(db, [one], source, step)]
    known, held = messages.known_of(db, digests), waiting.endorsed_of(db, digests)
    grants = _grants_of(db, envelopes)
    outcomes = dict.fromkeys(digests, Admitted.WAITING) | dict.fromkeys(known, Admitted.COVERED)
    keeping = _Keeping(db, step, grants)
    for one in envelopes:
        if one.digest in known:
            continue
        endorsed = bool(one.signature) or _is_endorsed(db, one, step)
        if one.digest in held:
            if held[one.digest] or not endorsed:
                continue
            waiting.release(db, one.digest)  # a stranger's copy without signature holds nothing up
        found = _Standing.of(db, one, step.keeper.heeded, grants)
        if endorsed and found.is_kept:
            has_room = keeping.take(one, found, source)
            outcomes[one.digest] = Admitted.STORED if has_room else Admitted.DECLINED
        else:
            _hold(db, one, found.missing if endorsed else (), source, step, endorsed=endorsed)
    _complete(db, keeping.store(), step)
    left = (digest for digest, outcome in outcomes.items() if outcome is Admitted.WAITING)
    outcomes |= dict.fromkeys(messages.known_of(db, left), Admitted.STORED)  # completed by another
    return [outcomes[one] for one in digests]


def blocks_came(db: Writing, step: Step) -> None:
    """Admit the statements whose endorsements have become final, when blocks were read."""
    for (digest,) in db.execute(_ENDORSED, (_last_final(db, step),)).fetchall():
        if one := waiting.find(db, digest):
            waiting.release(db, digest)
            admit(db, [decode(one.body, step.network)], one.source, step)


def consents_came(db: Writing, licenses: Sequence[tuple[bytes, int, bytes, bytes]], step: Step) -> None:
    """Keep what new consents complete; `licenses` are hash, seq, grantee and contributor of each.

    A consent that had been forgotten keeps the number that it had first.
    """
    into = "INTO grants (license, number, grantee, contributor)"
    many.insert(db, into, licenses, "ON CONFLICT DO NOTHING")
    publishing.publish_late(db, [one for one, *_ in licenses], step.now)
    names = (Name(one, parent, who) for one, _, who, _ in licenses for parent in (NO_PARENT, ANY))
    _complete(db, names, step)


def heed(db: Writing, step: Step) -> None:
    """Keep what waits of addresses that are heeded now; called when a node starts."""
    revocations.promote(db, step.keeper.heeded, step.now, step.keeper.marks, step.keeper.heeded)
    query = "SELECT digest FROM waiting WHERE kind = ? AND endorsed = 1 AND signer IN"
    found = [digest for (digest,) in many.among(db, query, step.keeper.heeded, (DISPUTE,))]
    _complete(db, _promoted(db, found, step), step)


def learn(db: Writing, people: set[bytes], now: float) -> None:
    """Make addresses known (rule 7.12), and store their pending revocations."""
    marks.expire(db, now)
    marks.doubt(db, add_people(db, people))
    revocations.promote(db, people, now)


def _is_endorsed(db: Reading, envelope: Envelope, step: Step) -> bool:
    signer, last_final = envelope.message.signer, _last_final(db, step)
    return endorsements.is_endorsed(db, signer, envelope.digest, last_final)


def _last_final(db: Reading, step: Step) -> int:
    newest = chain_state.newest(db)
    return newest.number - step.keeper.finality if newest else -1


def _grants_of(db: Reading, envelopes: Iterable[Envelope]) -> Grants:
    """Return the grants of what some statements name, but not of those that have no parent."""
    some = (one.items for one in envelopes if not sublicenses.has_no_parent(one.message))
    return sublicenses.grants_of(db, chain.from_iterable(some))


class _Standing(NamedTuple):
    """What speaks for keeping a statement: what a sublicense passes on, and what is missing."""

    is_kept: bool
    met: Met
    missing: Sequence[Name]

    @classmethod
    def of(
        cls, db: Reading, envelope: Envelope, heeded: frozenset[bytes], grants: Grants
    ) -> "_Standing":
        """Judge a statement; `grants` are those of the consents among what it names."""
        message, hashes = envelope.message, envelope.items
        match message:
            case Sublicense():
                met = sublicenses.met_by(db, message, hashes, grants)
                names = [
                    Name(one, message.parent, message.signer) for one in sublicenses.lacking(hashes, met)
                ]
                return cls(bool(met), met, names)
            case Dispute():
                is_kept = message.signer in heeded
                return cls(is_kept, {}, [] if is_kept else [Name(one, ANY, b"") for one in hashes])
            case _:
                licenses = [one for one in map(grants.get, hashes) if one]
                is_kept = sublicenses.is_holder(db, message.signer, hashes, licenses)
                missing = [] if is_kept else [Name(one, ANY, message.signer) for one in hashes]
                return cls(is_kept, {}, missing)


class _Keeping:
    """Statements that are kept together, so that each table is written once."""

    def __init__(self, db: Writing, step: Step, grants: Grants) -> None:
        self._db, self._step, self._grants = db, step, grants
        self._room = StatementRooms(db, step.keeper.quotas)
        self._kept = list[tuple[Envelope, _Standing]]()

    def take(self, envelope: Envelope, found: _Standing, source: str) -> bool:
        """Reserve room; a dispute of a heeded address that finds none leaves a mark on that address."""
        digest, message, sponsor = envelope.digest, envelope.message, envelope.sponsor
        assert sponsor  # noqa: S101 - intake has checked or added the sponsor
        if message.kind == DISPUTE:
            marks.lift(self._db, digest, message.signer)
        if self._room.take(sponsor.node_key, digest, len(envelope.items)):
            self._kept.append((envelope, found))
            return True
        if message.kind == DISPUTE:
            dropped = Dropped(digest, message.signer, source)
            marks.leave(self._db, dropped, self._step.now, self._step.keeper.marks)
        return False

    def store(self) -> Iterator[Name]:
        """Store what was taken; returns what that lets others hold."""
        if not self._kept:
            return iter(())
        self._room.write()
        db, now, kept = self._db, self._step.now, self._kept
        first = db.next_seq("messages", len(kept))
        rows = (
            messages.Message(one.digest, one.message.kind, one.message.signer, encode(one))
            for one, _ in kept
        )
        messages.insert_many(db, enumerate(rows, first), now)
        key = self._step.keeper.node_key
        own = [
            (first + at, one.digest, now)
            for at, (one, _) in enumerate(kept)
            if one.sponsor and one.sponsor.node_key == key
        ]
        many.insert(db, "INTO anchor_queue", own)
        changes = [sync_index.digest_change(one.digest, 1) for one, _ in kept]
        sync_index.change_sums(db, kept[0][0].message.kind, changes)
        others = [one for one, _ in kept if one.message.kind != SUBLICENSE]
        for one in others:
            about = (one.message.kind, one.message.signer, one.digest)
            into = "INTO named (kind, signer, digest, hash)"
            many.insert_alike(db, into, about, ((item,) for item in one.items))
        _dispute(db, others)
        publishing.publish_statements(db, others, self._grants, now)
        return self._pass_on(first)

    def _pass_on(self, first: int) -> Iterator[Name]:
        """Pass on what is kept from a number on."""
        db, now = self._db, self._step.now
        found = [
            (sublicenses.terms_of(one.digest, as_kind(one.message, Sublicense), now, number), standing)
            for number, (one, standing) in enumerate(self._kept, first)
            if one.message.kind == SUBLICENSE
        ]
        sublicenses.insert(db, [terms for terms, _ in found])
        for terms, standing in found:
            if standing.missing:
                waiting.expect(db, terms.digest, standing.missing)
        if found:
            learn(db, {terms.grantee for terms, _ in found}, now)
        passing = [(terms, standing.met) for terms, standing in found]
        names = (Name(terms.digest, ANY, terms.grantee) for terms, _ in found)
        return chain(names, _passing(db, passing, now))


def _dispute(db: Writing, envelopes: Iterable[Envelope]) -> None:
    rows = (
        (item, one.signer, envelope.digest, one.subject, one.issued_at, one.expires_at)
        for envelope, one in of_kind(envelopes, Dispute)
        for item in envelope.items
    )
    many.insert(db, "INTO disputes", rows)


def _passing(db: Writing, some: Sequence[Passing], now: float) -> Iterator[Name]:
    """Pass licenses on; returns what that lets the grantees do."""
    pass_on(db, some)
    publishing.publish_passing(db, some, now)
    return (
        Name(license_hash, parent, terms.grantee)
        for terms, met in some
        for depth, licenses in met.items()
        for license_hash in licenses.names
        for parent in ((ANY, terms.digest) if depth < LIMITS.depth else (ANY,))
    )


def _complete(db: Writing, names: Iterator[Name], step: Step) -> None:
    """Keep whatever waited for some names, and what that completes in turn."""
    while found := waiting.completed_by(db, names):
        waiting.no_longer(db, found)
        by_digest: dict[bytes, list[Name]] = {}
        for name, digest in found:
            by_digest.setdefault(digest, []).append(name)
        terms = sublicenses.sublicenses_of(db, by_digest)
        passing = [(terms[one], _newly_met(db, terms[one], by_digest[one])) for one in terms]
        rest = [digest for digest in by_digest if digest not in terms]
        names = chain(_passing(db, passing, step.now), _promoted(db, rest, step))


def _newly_met(db: Reading, terms: SublicenseTerms, came: Iterable[Name]) -> Met:
    """Return by depth the licenses of a kept sublicense that its signer has come to hold."""
    licenses = [*sublicenses.grants_of(db, [one.hash for one in came]).values()]
    if terms.parent == NO_PARENT:
        return {1: GrantColumns.of(licenses)} if licenses else {}
    parent = sublicenses.sublicense_of(db, terms.parent)
    above = sublicenses.met(db, parent, licenses) if parent else {}
    return {depth + 1: some for depth, some in above.items()}


def _promoted(db: Writing, digests: Iterable[bytes], step: Step) -> Iterator[Name]:
    """Keep waiting statements; returns what they let others hold."""
    found = list[tuple[Envelope, str]]()
    for digest in digests:
        if one := waiting.find(db, digest):
            waiting.release(db, digest)
            found.append((decode(one.body, step.network), one.source))
    grants = _grants_of(db, [one for one, _ in found])
    keeping = _Keeping(db, step, grants)
    for envelope, source in found:
        standing = _Standing.of(db, envelope, step.keeper.heeded, grants)
        keeping.take(envelope, standing, source)
    return keeping.store()


def _hold(
    db: Writing,
    envelope: Envelope,
    names: Iterable[Name],
    source: str,
    step: Step,
    *,
    endorsed: bool,
) -> None:
    message = envelope.message
    base = waiting.BASE_WEIGHT if endorsed else waiting.UNENDORSED_WEIGHT
    weight = base + len(envelope.items)
    held = (envelope.digest, message.kind, message.signer, source, encode(envelope), weight, endorsed)
    waiting.hold(db, Waiting(*held), names, step.keeper.statements)
