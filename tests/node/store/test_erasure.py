"""Rule 8.13: what was revoked may be forgotten; that it was revoked may not."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sayso_node.errors import NotFound, NotRevoked
from sayso_node.intake.outcome import SourceChannel, Status
from sayso_node.store import erasure, messages, queries, shared_claims
from sayso_node.store.revocations import bits
from sayso_node.store.sync import entries as sync_entries
from sayso_node.store.sync import index as sync_index
from sayso_node.verdicts.judge import Check
from sayso_protocol.messages.consent import Consent
from sayso_protocol.messages.envelope import Envelope
from sayso_protocol.messages.message import CONSENT
from sayso_protocol.permissions.scopes import agreement_subject
from sayso_protocol.receipts.receipt import join_rows
from sayso_protocol.sync.fingerprints import ROOT
from sayso_protocol.verdicts.query import Query
from sayso_protocol.verdicts.verdict import REASONS, Reason, Row, Sought
from support.dating import date_all
from support.node_rig import NodeRig, consent, node_key, revocation
from support.protocol_strategies import ADA, BEN, CLEO, NETWORK, full_words
from support.tries import tries

HELD = consent(1, count=300, grantee=bytes(20), guardian=CLEO)
SECRET = HELD.items[7]


def permissions(envelope: Envelope, items: list[int], purposes: list[str]) -> Envelope:
    assert isinstance(envelope.message, Consent)
    return revocation(words=envelope.message.masks(items, purposes))


def whole(envelope: Envelope) -> Envelope:
    assert isinstance(envelope.message, Consent)
    return revocation(words=full_words(envelope.message))


def agreement(envelope: Envelope) -> str:
    assert isinstance(envelope.message, Consent)
    return agreement_subject(envelope.message.agreement)


@pytest.mark.parametrize(
    ("scopes", "is_erased"),
    [
        ([agreement(HELD)], True),
        ([f"{agreement(HELD)} for {one}" for one in HELD.message.purposes], True),  # type: ignore[attr-defined]
        ([f"{agreement(HELD)} for train-ai"], False),
        ([agreement(consent(2))], False),
        (["to 0x" + "11" * 20], False),
    ],
)
async def test_a_license_is_erased_by_its_agreement(
    rig: NodeRig, scopes: list[str], is_erased: bool
) -> None:
    await rig.give(HELD, revocation(*scopes))
    if not is_erased:
        with pytest.raises(NotRevoked):
            await erase(rig, HELD)
        return
    await erase(rig, HELD)
    with rig.store.read() as db:
        assert erasure.is_erased(db, HELD.digest)


async def erase(rig: NodeRig, envelope: Envelope) -> None:
    """Erase a consent, as if all that is revoked were in a final block."""
    await rig.store.write(date_all)
    await rig.store.write(lambda db: erasure.erase(db, NETWORK, envelope.digest))


def reasons(rig: NodeRig, *rows: Row) -> list[Reason]:
    rig.clock.time += 1
    rig.be_current()
    answer_ = rig.judge.judge(Check(Query(bytes(20), "train-ai"), 60, "run", join_rows(rows)))
    return [REASONS[number] for number in answer_.reasons]


WAYS = {
    "its words": whole(HELD),
    "its agreement": revocation(agreement(HELD)),
    "everything": revocation("everything"),
    "via": revocation("via kled.ai"),
    "its guardian": revocation(f"ward 0x{ADA.hex()} everything", contributor=CLEO),
}


@pytest.mark.parametrize("name", WAYS)
async def test_a_tombstone_says_revoked_and_nothing_brings_it_back(rig: NodeRig, name: str) -> None:
    await rig.give(HELD, WAYS[name])
    with rig.store.read() as db:
        before = bits.current_digest(db)
    await erase(rig, HELD)
    for channel in SourceChannel:
        for again in (HELD, HELD.sponsored_by(node_key("another"))):
            [outcome] = await rig.give(again, source=channel)
            assert outcome.status is Status.KNOWN
    mixed = [Row(HELD.digest, SECRET), Row(bytes(32), SECRET), Row(HELD.digest, bytes(32))]
    expected = [Reason.REVOKED, Reason.UNKNOWN, Reason.REVOKED]
    assert reasons(rig, *mixed) == expected
    with rig.store.read() as db:
        assert bits.current_digest(db) == before
        assert erasure.is_erased(db, HELD.digest)
        assert not erasure.is_erased(db, consent(2).digest)
        assert queries.claims_after(db, SECRET, 0, 10) == []


async def test_a_party_that_was_erased_is_not_found_for_the_others(rig: NodeRig) -> None:
    """Rule 8.13.7."""
    pair = tuple(sorted((ADA, CLEO)))
    mine, hers = (consent(3, count=2, contributor=who, parties=pair) for who in (ADA, CLEO))
    await rig.give(mine, hers, revocation("everything", contributor=CLEO))
    await erase(rig, hers)
    with rig.store.read() as db:
        assert db.execute("SELECT count(*) FROM shared_claims").fetchone() == (2,)
        assert db.execute("SELECT count(*) FROM shared_items").fetchone() == (2,)
        sought = Sought(mine.items[0], pair, CLEO, Query(BEN, "train-ai"), rig.clock.now())
        assert list(shared_claims.considered(db, sought)) == []
        assert list(shared_claims.considered(db, sought._replace(contributor=ADA))) == [mine.digest]


async def test_a_tombstone_is_not_offered_to_peers(rig: NodeRig) -> None:
    await rig.give(HELD, whole(HELD), consent(2))
    await erase(rig, HELD)

    with rig.store.read() as db:
        assert [one.id for one in sync_entries.entries(db, CONSENT, ROOT)] == [consent(2).digest]
        assert sum(one.size for one in sync_index.sums(db, CONSENT, [ROOT], 4)) == 1
        assert list(messages.bodies(db, [HELD.digest])) == []


async def test_who_consented_anew_on_the_same_terms_is_still_revoked(rig: NodeRig) -> None:
    renewal = consent(1, count=300, grantee=bytes(20), guardian=CLEO, issued_at=1_700_000_001)
    await rig.give(HELD, whole(HELD))
    await erase(rig, HELD)
    await rig.give(renewal)
    assert reasons(rig, Row(renewal.digest, SECRET)) == [Reason.REVOKED]


async def test_what_stands_cannot_be_erased(rig: NodeRig) -> None:
    with pytest.raises(NotFound):
        await erase(rig, HELD)
    await rig.give(HELD, permissions(HELD, list(range(300)), ["train-ai"]))
    with pytest.raises(NotRevoked):
        await erase(rig, HELD)
    await rig.give(permissions(HELD, list(range(299)), ["evaluate"]))
    with pytest.raises(NotRevoked):
        await erase(rig, HELD)
    await rig.give(permissions(HELD, [299], ["evaluate"]))
    await erase(rig, HELD)
    with pytest.raises(NotFound):
        await erase(rig, HELD)


CONSENTS = [consent(number, count=2, grantee=bytes(20)) for number in range(3)]
STEPS = [
    *(("give", one) for one in CONSENTS),
    *(("give", whole(one)) for one in CONSENTS),
    *(("give", permissions(one, [0], ["train-ai"])) for one in CONSENTS),
    ("give", revocation("everything for evaluate")),
    *(("erase", one) for one in CONSENTS),
]


@settings(
    deadline=None, max_examples=tries(30), suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.sampled_from(STEPS), max_size=20))
async def test_who_erases_says_what_others_say(
    tmp_path_factory: pytest.TempPathFactory, history: list[tuple[str, Envelope]]
) -> None:
    """In any order, with any repeats: the same state, and the same verdicts on every row."""
    folder = tmp_path_factory.mktemp("erasing")
    with NodeRig(folder, name="a") as a, NodeRig(folder, name="b") as b:
        for what, envelope in history:
            if what == "give":
                assert [one.status for one in await a.give(envelope)] == [
                    one.status for one in await b.give(envelope)
                ]
                continue
            try:
                await erase(a, envelope)
            except (NotFound, NotRevoked):
                continue
            assert reasons(b, Row(envelope.digest, envelope.items[0])) == [Reason.REVOKED]
        rows = [Row(one.digest, item) for one in CONSENTS for item in one.items]
        assert reasons(a, *rows) == reasons(b, *rows)
        with a.store.read() as left, b.store.read() as right:
            assert bits.current_digest(left) == bits.current_digest(right)
