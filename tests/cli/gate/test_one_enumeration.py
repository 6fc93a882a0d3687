"""Rule 8.2 is one rule: whoever asks whether a permission is revoked gets the same answer.

The verdict over one row and over many, snapshots, chain proofs, the look at the chain, misconduct, and
the count of what a revocation hits derive from one enumeration: a subject added there shows in all.
"""

from itertools import groupby

import pytest
from hypothesis import given

from sayso.contributor.revoking import permissions_hit
from sayso.gate.judges.onchain import words_of
from sayso_protocol.ethereum.chain_proofs import places_of
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.permissions.scopes import scope_text
from sayso_protocol.receipts.misconduct import covers
from sayso_protocol.receipts.receipt import join_rows
from sayso_protocol.snapshots.offline import HeldLicenses, OfflineGate
from sayso_protocol.snapshots.snapshot import Snapshots
from sayso_protocol.verdicts import covering
from sayso_protocol.verdicts.bulk import judge_rows, revoked_masks
from sayso_protocol.verdicts.license_table import LicenseTable
from sayso_protocol.verdicts.query import Query
from sayso_protocol.verdicts.verdict import REASONS, License, Reason, Row, is_revoked, verdict
from support.histories import BUYERS, GUARDIAN, ITEMS, PAIR, Message, Question, histories, questions
from support.known import Known, license_hash
from support.protocol_strategies import ADA, BEN, a_consent, signed
from support.snapshots import AS_OF, names_of, snapshot_of

TRAINING = Query(BUYERS[0], "train-ai")
PROVED = {True: Reason.REVOKED, False: Reason.GRANTED}
TOYS = [
    scope_text(subject, purpose, ward)
    for subject in ("toys", f"toy 0x{ITEMS[1].hex()}")
    for purpose in (None, "train-ai")
    for ward in (None, ADA)
]


def on_chain(known: Known, rows: list[Row], query: Query) -> Known:
    """What the look at the chain knows: no other words than those that it asks for."""
    asked = words_of(known.licenses, join_rows(rows), query)
    seen = Known(known.licenses.values())
    seen.state = {
        who: {word: known.bits(who)[word] for word in words if word in known.bits(who)}
        for who, words in asked.items()
    }
    return seen


def judged_by_all(known: Known, rows: list[Row], query: Query, now: float) -> dict[str, list[Reason]]:
    held = [(name, one.consent, one.items) for name, one in known.licenses.items()]
    bulk = judge_rows(LicenseTable.of(held), known, join_rows(rows), query, now).reasons
    snapshots = Snapshots([snapshot_of(known.state, names_of(known.licenses.values()))])
    offline, *_ = OfflineGate(HeldLicenses(held), snapshots, query, max_age_s=60).judge(
        join_rows(rows), now
    )
    seen = on_chain(known, rows, query)
    return {
        "verdict": [verdict(known, one, query, now) for one in rows],
        "bulk": [REASONS[number] for number in bulk.tolist()],
        "offline": [REASONS[number] for number in offline.tolist()],
        "chain": [verdict(seen, one, query, now) for one in rows],
    }


def proved(known: Known, held: License, item: bytes, purpose: str) -> bool:
    """What a chain proof would show, if all that is known stood there."""
    query = Query(held.consent.grantee, purpose)
    return any(one.is_set(known.bits(one.address)) for one in places_of(held, item, query))


@given(histories())
def test_all_agree_about_rows(history: list[Message]) -> None:
    known = Known(history)
    everything: list[Question] = [one for one in questions(history) if one.row.license in known.licenses]
    everything.sort(key=lambda one: (one.now, one.query.grantee, one.query.purpose))
    for (query, now), some in groupby(everything, lambda one: (one.query, one.now)):
        answers = judged_by_all(known, [one.row for one in some], query, now)
        assert all(one == answers["verdict"] for one in answers.values()), answers


@given(histories())
def test_all_agree_about_permissions(history: list[Message]) -> None:
    known = Known(history)
    revocations = [one for one in history if isinstance(one, Revocation)]
    for held in known.licenses.values():
        consent = held.consent
        pairs = [(item, one) for item in held.items for one in consent.purposes]
        expected = [is_revoked(known, held, item, Query(consent.grantee, one)) for item, one in pairs]
        assert [proved(known, held, item, one) for item, one in pairs] == expected
        joined = sum(m << 256 * at for at, m in enumerate(revoked_masks(known, consent, held.items)))
        assert [bool(joined >> at & 1) for at in range(len(pairs))] == expected
        assert permissions_hit(revocations, held) == sum(expected)


@pytest.mark.parametrize("toy", TOYS)
def test_a_new_subject_shows_in_all(toy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    held = License(a_consent(ITEMS, grantee=BUYERS[0], guardian=GUARDIAN), ITEMS)
    name, consent = license_hash(held.consent), held.consent
    by = GUARDIAN if toy.startswith("ward") else ADA
    revocation = Revocation(by, (toy,))
    known = Known([held, revocation])
    rows = [Row(name, item) for item in ITEMS]
    hit = [Reason.REVOKED if "toys" in toy or item == ITEMS[1] else Reason.GRANTED for item in ITEMS]

    def hits() -> list[object]:
        answers = judged_by_all(known, rows, TRAINING, AS_OF)
        return [
            *answers.values(),
            [PROVED[proved(known, held, item, "train-ai")] for item in ITEMS],
        ]

    assert hits() == [[Reason.GRANTED] * 3] * 5
    assert permissions_hit([revocation], held) == 0
    plain = covering.subjects
    monkeypatch.setattr(
        covering, "subjects", lambda *asked: (*plain(*asked), "toys", f"toy {covering.ITEM}")
    )
    assert hits() == [hit] * 5
    assert permissions_hit([revocation], held) == hit.count(Reason.REVOKED) * (
        1 if toy.endswith("train-ai") else len(consent.purposes)
    )


@pytest.mark.parametrize("toy", [one for one in TOYS if not one.startswith("ward")])
def test_a_new_subject_convicts(toy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rule 9.7: of the contributor, and of another party."""
    consent = signed(a_consent(ITEMS, parties=PAIR), ITEMS)
    promised = [signed(Revocation(who, (toy,))) for who in (ADA, BEN)]
    assert not any(covers(one, consent, ITEMS[1], TRAINING) for one in promised)
    plain = covering.subjects
    monkeypatch.setattr(
        covering, "subjects", lambda *asked: (*plain(*asked), "toys", f"toy {covering.ITEM}")
    )
    assert all(covers(one, consent, ITEMS[1], TRAINING) for one in promised)
