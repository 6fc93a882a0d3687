"""Decides which statements are kept (rule 7.17), and keeps at once what each newcomer completes.

What a statement needs is a name (see waiting.py): a consent or a kept sublicense of a hash to its
signer. When one comes, whatever waited for it is kept in the same step, and what that completes in turn.
Every turn uses up the names that it found, so the work is bounded by what waited; and the final state
does not depend on the order in which messages came.
"""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from sayso_node.store import many, messages, sync_index
from sayso_node.store.admission import marks, revocations
from sayso_node.store.admission.keeper import Step
from sayso_node.store.admission.marks import Dropped
from sayso_node.store.admission.revocations import Admitted
from sayso_node.store.admission.sponsors import take_statement_room
from sayso_node.store.bits import add_people
from sayso_node.store.chain import chain_state, endorsements
from sayso_node.store.interface import Reading, Writing
from sayso_node.store.messages import Message as Row
from sayso_node.store.statements import sublicenses, waiting
from sayso_node.store.statements.sublicenses import SublicenseTerms
from sayso_node.store.statements.waiting import ANY, Name, Waiting
from sayso_protocol.limits import LIMITS
from sayso_protocol.messages.envelope import Envelope, decode, encode
from sayso_protocol.messages.message import DISPUTE, as_kind
from sayso_protocol.messages.statements.dispute import Dispute
from sayso_protocol.messages.statements.sublicense import NO_PARENT, Sublicense

_HELD_BY_CONSENT: Final = "SELECT 1 FROM grantees WHERE grantee = ? AND license IN"
_HELD_BY_SUBLICENSE: Final = "SELECT 1 FROM passed_on WHERE grantee = ? AND counts = 1 AND license IN"
_IS_GRANTEE: Final = "SELECT 1 FROM sublicense_terms WHERE grantee = ? AND digest IN"


def admit(db: Writing, envelope: Envelope, source: str, step: Step) -> Admitted:
    """Keep a verified statement, and what it completes, or make it wait."""
    if messages.is_known(db, envelope.digest):
        return Admitted.COVERED
    signer, digest = envelope.message.signer, envelope.digest
    endorsed = bool(envelope.signature) or endorsements.is_endorsed(
        db, signer, digest, _last_final(db, step)
    )
    if held := waiting.find(db, digest):
        if held.endorsed or not endorsed:
            return Admitted.WAITING
        waiting.release(db, digest)  # a stranger's copy without signature holds nothing up
    found = _Standing.of(db, envelope, step.keeper.heeded)
    if endorsed and found.is_kept:
        return _keep(db, envelope, found, source, step)
    _hold(db, envelope, found.missing if endorsed else (), source, step, endorsed=endorsed)
    return Admitted.WAITING


def blocks_came(db: Writing, step: Step) -> None:
    """Admit the statements whose endorsements have become final, when blocks were read."""
    query = (
        "SELECT waiting.digest FROM waiting JOIN endorsements"
        " ON endorsements.signer = waiting.signer AND endorsements.digest = waiting.digest"
        " WHERE endorsed = 0 AND block_number <= ?"
    )
    for (digest,) in db.execute(query, (_last_final(db, step),)).fetchall():
        if one := waiting.find(db, digest):
            waiting.release(db, digest)
            admit(db, decode(one.body, step.network), one.source, step)


def _last_final(db: Reading, step: Step) -> int:
    newest = chain_state.newest(db)
    return newest.number - step.keeper.finality if newest else -1


def consents_came(
    db: Writing,
    licenses: Sequence[tuple[bytes, bytes]],
    step: Step,
) -> None:
    """Keep what new consents complete; `licenses` are the hash and the grantee of each."""
    many.insert(db, "INTO grantees", licenses, "ON CONFLICT DO NOTHING")
    names = [Name(one, parent, who) for one, who in licenses for parent in (NO_PARENT, ANY)]
    _complete(db, names, step)


class _Standing(NamedTuple):
    """What speaks for keeping a statement: depths of a sublicense by license, and what is missing."""

    is_kept: bool
    depths: dict[bytes, int]
    missing: list[Name]

    @classmethod
    def of(cls, db: Reading, envelope: Envelope, heeded: frozenset[bytes]) -> "_Standing":
        message, hashes = envelope.message, envelope.items
        match message:
            case Sublicense():
                depths = sublicenses.depths_met(db, message, hashes)
                lacking = (one for one in hashes if one not in depths)
                names = [Name(one, message.parent, message.signer) for one in lacking]
                return cls(bool(depths), depths, names)
            case Dispute():
                return cls(message.signer in heeded, {}, [Name(one, ANY, b"") for one in hashes])
            case _:
                names = [Name(one, ANY, message.signer) for one in hashes]
                return cls(_is_holder(db, message.signer, hashes), {}, names)


def _is_holder(db: Reading, signer: bytes, hashes: Sequence[bytes]) -> bool:
    """Return whether an address holds one of some licenses, or is the grantee of a sublicense named."""
    queries = (_HELD_BY_CONSENT, _HELD_BY_SUBLICENSE, _IS_GRANTEE)
    return any(True for one in queries for _ in many.among(db, one, hashes, (signer,)))


def _keep(db: Writing, envelope: Envelope, found: _Standing, source: str, step: Step) -> Admitted:
    if not _take_room(db, envelope, source, step):
        return Admitted.DECLINED
    _complete(db, _stored(db, envelope, found, step), step)
    return Admitted.STORED


def _take_room(db: Writing, envelope: Envelope, source: str, step: Step) -> bool:
    """Reserve room; a dispute of a heeded address that finds none leaves a mark on that address."""
    digest, message, sponsor = envelope.digest, envelope.message, envelope.sponsor
    assert sponsor  # noqa: S101 - intake has checked or added the sponsor
    heeded = message.kind == DISPUTE
    if heeded:
        marks.lift(db, digest, message.signer)
    weight = len(envelope.items)
    if take_statement_room(db, sponsor.node_key, digest, weight, step.keeper.quotas):
        return True
    if heeded:
        marks.leave(db, Dropped(digest, message.signer, source), step.now, step.keeper.marks)
    return False


def _stored(db: Writing, envelope: Envelope, found: _Standing, step: Step) -> list[Name]:
    """Store a statement; returns what it lets others hold."""
    message, digest, now = envelope.message, envelope.digest, step.now
    messages.insert(db, Row(digest, message.kind, message.signer, encode(envelope)), now)
    sync_index.change_sums(db, message.kind, [sync_index.digest_change(digest, 1)])
    assert envelope.sponsor  # noqa: S101 - as in _take_room
    if envelope.sponsor.node_key == step.keeper.node_key:
        query = "INSERT INTO anchor_queue SELECT seq, digest, ? FROM messages WHERE digest = ?"
        db.execute(query, (now, digest))
    if isinstance(message, Sublicense):
        return _passed_on(db, digest, message, found, now)
    rows = ((one, message.kind, digest) for one in envelope.items)
    many.insert(db, "INTO named", rows)
    if message.kind == DISPUTE:
        _dispute(db, envelope, as_kind(message, Dispute))
    return []


def _passed_on(
    db: Writing, digest: bytes, message: Sublicense, found: _Standing, now: float
) -> list[Name]:
    terms = sublicenses.insert(db, digest, message, now)
    waiting.expect(db, digest, found.missing)
    learn(db, {message.grantee}, now)
    return [Name(digest, ANY, message.grantee), *_passing(db, terms, found.depths)]


def _passing(db: Writing, terms: SublicenseTerms, depths: dict[bytes, int]) -> list[Name]:
    """Pass licenses on; returns what that lets the grantee do."""
    sublicenses.pass_on(db, terms, depths)
    names = [Name(one, ANY, terms.grantee) for one in depths]
    deeper = (one for one, depth in depths.items() if depth < LIMITS.depth)
    return [*names, *(Name(one, terms.digest, terms.grantee) for one in deeper)]


def _dispute(db: Writing, envelope: Envelope, message: Dispute) -> None:
    terms = (message.signer, envelope.digest, message.subject, message.issued_at, message.expires_at)
    many.insert(db, "INTO disputes", ((one, *terms) for one in envelope.items))


def learn(db: Writing, people: set[bytes], now: float) -> None:
    """Make addresses known (rule 7.12), and store their pending revocations."""
    marks.expire(db, now)
    marks.doubt(db, add_people(db, people))
    revocations.promote(db, people, now)


def _complete(db: Writing, names: list[Name], step: Step) -> None:
    """Keep whatever waited for some names, and what that completes in turn."""
    while names and (found := waiting.completed_by(db, names)):
        waiting.no_longer(db, found)
        by_digest: dict[bytes, list[Name]] = {}
        for name, digest in found:
            by_digest.setdefault(digest, []).append(name)
        terms = sublicenses.sublicenses_of(db, by_digest)
        names = []
        for digest, came in by_digest.items():
            if digest in terms:
                names += _passing(db, terms[digest], _depths(db, terms[digest], came))
            else:
                names += _promoted(db, digest, step)


def _depths(db: Reading, terms: SublicenseTerms, came: Iterable[Name]) -> dict[bytes, int]:
    """Return the depths of a kept sublicense for licenses that its signer has come to hold."""
    if terms.parent == NO_PARENT:
        return {one.hash: 1 for one in came}
    above = ((one.hash, sublicenses.depth_of(db, one.hash, terms.parent)) for one in came)
    return {one: depth + 1 for one, depth in above if depth is not None}


def _promoted(db: Writing, digest: bytes, step: Step) -> list[Name]:
    """Keep a waiting statement; returns what it lets others hold."""
    one = waiting.find(db, digest)
    if one is None:
        return []
    waiting.release(db, digest)
    envelope = decode(one.body, step.network)
    found = _Standing.of(db, envelope, step.keeper.heeded)
    if not _take_room(db, envelope, one.source, step):
        return []
    return _stored(db, envelope, found, step)


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


def heed(db: Writing, step: Step) -> None:
    """Keep what waits of addresses that are heeded now; called when a node starts."""
    revocations.promote(db, step.keeper.heeded, step.now, step.keeper.heeded)
    query = "SELECT digest FROM waiting WHERE kind = ? AND endorsed = 1 AND signer IN"
    for (digest,) in list(many.among(db, query, step.keeper.heeded, (DISPUTE,))):
        _promoted(db, digest, step)
