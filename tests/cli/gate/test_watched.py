"""What a dispute makes the watch ask about: exactly the rows that a check of everything would find."""

from collections.abc import Collection

from hypothesis import given
from hypothesis import strategies as st

from sayso.gate.watching import Watched
from sayso.node_client.following import Event
from sayso_protocol.messages.consent import Consent
from sayso_protocol.messages.message import as_kind
from sayso_protocol.messages.statements.dispute import CONTRIBUTORS, FILES, contributor_hash
from sayso_protocol.receipts.receipt import join_rows
from sayso_protocol.verdicts.disputes import Asking, is_disputed
from sayso_protocol.verdicts.query import Query
from sayso_protocol.verdicts.verdict import License, Row
from support.node_rig import NOW, consent
from support.protocol_strategies import ADA, BEN, CLEO

LAB, HEEDED, STRANGER = b"\x0a" * 20, b"\x0b" * 20, b"\x0c" * 20
PEOPLE = (ADA, BEN, CLEO)
CONSENTS = [
    consent(number, count=2, contributor=who, parties=parties)
    for number, (who, parties) in enumerate(
        [(ADA, (ADA,)), (BEN, (BEN,)), *((one, tuple(sorted((ADA, CLEO)))) for one in (ADA, CLEO))], 1
    )
]
LICENSES = {one.digest: License(as_kind(one.message, Consent), one.items) for one in CONSENTS}
ROWS = [Row(one.digest, item) for one in CONSENTS for item in one.items]
NAMES = [*(row.item for row in ROWS), *map(contributor_hash, PEOPLE), b"\x0d" * 32]


class Disputes:
    """Open disputes, all of one signer."""

    def __init__(self, signer: bytes, subject: str, names: Collection[bytes]) -> None:
        self._signer, self._subject, self._names = signer, subject, names

    def any_disputed(self, asking: Asking) -> bool:
        return asking.subject == self._subject and self._signer in asking.heed

    def disputed(self, hashes: Collection[bytes], asking: Asking) -> Collection[bytes]:
        return [one for one in hashes if one in self._names] if self.any_disputed(asking) else ()


def event(signer: bytes) -> Event:
    return Event("1", "dispute", signer, b"\x0e" * 32)


@given(
    st.sampled_from([FILES, CONTRIBUTORS]),
    st.sets(st.sampled_from(NAMES), min_size=1),
    st.sampled_from([HEEDED, STRANGER]),
    st.lists(st.sampled_from(ROWS), min_size=1, max_size=12),
)
def test_it_is_asked_about_what_a_full_check_would_find(
    subject: str, names: set[bytes], signer: bytes, rows: list[Row]
) -> None:
    """The subject decides which hashes there can be: an item is no padded address."""
    about_people = {contributor_hash(one) for one in PEOPLE}
    names = {one for one in names if (one in about_people) == (subject == CONTRIBUTORS)}
    query = Query(LAB, "train-ai", (HEEDED,))
    watched = Watched(join_rows(rows), LICENSES, [], query)
    knowledge = Disputes(signer, subject, names)
    stopped = {
        row
        for row in rows
        if is_disputed(knowledge, LICENSES[row.license].consent, row.item, query, NOW)
    }
    doubted = watched.doubts(event(signer), sorted(names))
    assert len(doubted) == len({*doubted})
    assert {*doubted} == stopped
    # What is not known is everything, for whoever is heeded.
    unknown = {*watched.doubts(event(signer))}
    assert unknown == ({*rows} if signer == HEEDED else set())


def test_by_default_anybody_may_be_heeded() -> None:
    """The node decides whom it heeds, so a stranger's dispute is looked into, too."""
    watched = Watched(join_rows(ROWS), LICENSES, [], Query(LAB, "train-ai"))
    [doubted] = watched.doubts(event(STRANGER), [ROWS[0].item])
    assert doubted == ROWS[0]
