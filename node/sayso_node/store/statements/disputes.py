"""The kept disputes, looked up by what they name; strangers' disputes are not among them (rule 7.18)."""

from collections.abc import Collection, Iterable, Iterator
from typing import Final

from sayso_node.store import many
from sayso_node.store.interface import Reading
from sayso_protocol.limits import LIMITS
from sayso_protocol.messages.consent import Consent
from sayso_protocol.messages.statements.dispute import CONTRIBUTORS, FILES, contributor_hash
from sayso_protocol.verdicts.disputes import Asking, Disputed

_IN_FORCE: Final = (
    "SELECT hash, signer, digest FROM disputes"
    " WHERE subject = ? AND issued_at <= ? AND expires_at > ? AND signer IN ({}) AND hash IN"
)


def any_held(db: Reading) -> bool:
    """Return whether a dispute is held at all."""
    return db.execute("SELECT 1 FROM disputes LIMIT 1").fetchone() is not None


def in_force(db: Reading, hashes: Collection[bytes], asking: Asking) -> Iterator[Disputed]:
    """Return the disputes of these hashes that have begun and not ended, withdrawn ones included."""
    subject, heed, now = asking
    named = many.found_in(db, "disputes", "hash", hashes)  # costs nothing for what nobody disputes
    query = _IN_FORCE.format(",".join("?" * len(heed)))
    return (Disputed(*row) for row in many.among(db, query, named, (subject, now, now, *heed)))


def about(db: Reading, consent: Consent, items: Iterable[bytes]) -> list[bytes]:
    """Return the first disputes of a license, whenever they are in force, by digest (rule 15.6)."""
    query = "SELECT DISTINCT digest FROM disputes WHERE hash = ? AND subject = ? ORDER BY digest LIMIT ?"
    found = set[bytes]()
    for subject, hashes in ((FILES, items), (CONTRIBUTORS, map(contributor_hash, consent.parties))):
        for name in many.found_in(db, "disputes", "hash", hashes):
            found.update(x for (x,) in db.execute(query, (name, subject, LIMITS.traced_disputes)))
    return sorted(found)[: LIMITS.traced_disputes]
