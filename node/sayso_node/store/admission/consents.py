"""Stores consents a bundle at a time, so that each table is read and written once per bundle."""

from collections.abc import Collection, Sequence
from typing import NamedTuple

from sayso_node.store import many, messages, shared_claims
from sayso_node.store.admission import sponsors, statements
from sayso_node.store.admission.keeper import Keeper, Step
from sayso_node.store.admission.revocations import Admitted
from sayso_node.store.admission.sponsors import Applicant
from sayso_node.store.chain import wallets
from sayso_node.store.events import circles
from sayso_node.store.events.circles import granted
from sayso_node.store.integrity import totals
from sayso_node.store.interface import Writing
from sayso_node.store.messages import Message
from sayso_node.store.shared_claims import Placed
from sayso_node.store.sync import index as sync_index
from sayso_protocol.messages.consent import Consent
from sayso_protocol.messages.envelope import Envelope, decode, encode
from sayso_protocol.messages.message import CONSENT, as_kind
from sayso_protocol.network import Network
from sayso_protocol.primitives import HASH_BYTES, NOBODY


class AdmittedConsent(NamedTuple):
    """A consent with its envelope and its sponsor's node key."""

    envelope: Envelope
    consent: Consent
    sponsor: bytes

    @classmethod
    def of(cls, envelope: Envelope) -> "AdmittedConsent":
        """Read the envelope of a consent that has a sponsor."""
        consent, sponsor = as_kind(envelope.message, Consent), envelope.sponsor
        assert sponsor  # noqa: S101 - intake has checked or added the sponsor
        return cls(envelope, consent, sponsor.node_key)


def admit(
    db: Writing, envelopes: Sequence[Envelope], keeper: Keeper, now: float, block_time: float
) -> list[Admitted]:
    """Store verified consents and the pending revocations of them; returns the outcome of each consent.

    `block_time` is the time of the block at which contract wallets accepted their consents, `now` the
    current time; both in seconds since the epoch.
    """
    digests = [one.digest for one in envelopes]
    if len(set(digests)) < len(digests):  # with different sponsors, only one may exceed its quota
        parts = [admit(db, [one], keeper, now, block_time) for one in envelopes]
        return [outcome for part in parts for outcome in part]
    known = messages.known_of(db, digests)
    unknown = [AdmittedConsent.of(one) for one in envelopes if one.digest not in known]
    if not unknown:
        return [Admitted.COVERED] * len(digests)
    _forget(db, sponsors.leave_pool(db, min(now, block_time)), unknown[0].envelope.network)
    applicants = [Applicant(one.sponsor, one.envelope.digest, one.consent.expires_at) for one in unknown]
    has_room = sponsors.take_room(db, applicants, now, keeper.quotas)
    kept = [one for one, room in zip(unknown, has_room, strict=True) if room]
    _store(db, kept, Step(keeper, unknown[0].envelope.network, now))
    for one in kept:
        if one.envelope.claim.is_contract_wallets:
            answer = (one.consent.contributor, one.envelope.digest, block_time, now)
            wallets.said(db, *answer, accepted=True)
    outcomes = dict.fromkeys(known, Admitted.COVERED)
    outcomes |= {one.envelope.digest: Admitted.STORED for one in kept}
    return [outcomes.get(digest, Admitted.DECLINED) for digest in digests]


def _store(db: Writing, kept: Sequence[AdmittedConsent], step: Step) -> None:
    if not kept:
        return
    now = step.now
    digests = [one.envelope.digest for one in kept]
    first = db.next_seq("messages", len(kept))
    rows = (
        Message(one.envelope.digest, CONSENT, one.consent.contributor, encode(one.envelope))
        for one in kept
    )
    messages.insert_many(db, enumerate(rows, first), now)
    places = list(enumerate(kept, first))
    many.insert(db, "INTO items", ((item, seq) for seq, one in places for item in one.envelope.items))
    shared_claims.add(
        db, (Placed(seq, one.envelope.digest, one.consent, one.envelope.items) for seq, one in places)
    )
    own = [(seq, one.envelope.digest, now) for seq, one in places if one.sponsor == step.keeper.node_key]
    many.insert(db, "INTO anchor_queue", own)
    changes = [sync_index.digest_change(digest, 1) for digest in digests]
    sync_index.change_sums(db, CONSENT, changes)
    _learn(db, kept, now)
    grants = [
        (one.envelope.digest, seq, one.consent.grantee, one.consent.contributor) for seq, one in places
    ]
    statements.consents_came(db, grants, step)


def _forget(db: Writing, digests: Sequence[bytes], network: Network) -> None:
    """Delete expired consents; what their revocations set, and whom they made known, stays."""
    query = "SELECT digest, seq, kind, body FROM messages WHERE digest IN"
    for digest, seq, kind, body in list(many.among(db, query, digests)):
        if kind == CONSENT:  # an erased one has neither items nor a place in sync any more
            envelope = decode(body, network)
            placed = Placed(seq, digest, as_kind(envelope.message, Consent), envelope.items)
            rows = ((one, seq) for one in placed.items)
            db.executemany("DELETE FROM items WHERE item = ? AND seq = ?", rows)
            shared_claims.remove(db, placed)
            sync_index.change_sums(db, CONSENT, [sync_index.digest_change(digest, -1)])
        db.execute("DELETE FROM messages WHERE seq = ?", (seq,))
        db.execute("DELETE FROM anchor_queue WHERE seq = ?", (seq,))
        wallets.forget(db, digest)


def _learn(db: Writing, kept: Collection[AdmittedConsent], now: float) -> None:
    """Record the words and addresses of new consents, and store the pending revocations of them."""
    consents = [one.consent for one in kept]
    people = {who for one in consents for who in (one.contributor, one.guardian, one.grantee)}
    terms = (
        (
            one.contributor,
            one.base.to_bytes(HASH_BYTES),
            one.items * len(one.purposes),
            admitted.envelope.digest,
        )
        for admitted, one in zip(kept, consents, strict=True)
    )
    new = many.insert_new(db, "terms", terms)
    totals.add(db, totals.TERMS, (totals.term(*row) for row in new))
    circles.add(
        db, (link for one in consents for link in granted(one.contributor, one.guardian, one.grantee))
    )
    statements.learn(db, people - {NOBODY}, now)
