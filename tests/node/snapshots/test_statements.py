"""What a node publishes of statements: the sublicenses it holds, those displaced, what is disputed."""

from pathlib import Path

import pytest

from sayso_node.snapshots.publishing import SnapshotPublisher
from sayso_node.store.admission.pending import PendingRoom
from sayso_node.store.snapshots import statement_keys
from sayso_node.store.statements import passing
from sayso_protocol.messages.envelope import Envelope
from sayso_protocol.snapshots.hash_list import person_key, sublicense_key
from sayso_protocol.snapshots.keys import displaced_for_key, displaced_key, dispute_key
from support.holders import END, LABS, dispute, sublicense
from support.node_rig import NOW, NodeRig, consent, revocation
from support.protocol_strategies import BEN, CLEO
from support.published import knows, names, publisher, snapshot, verdicts

SOLD = consent(1, purposes=("resale", "train-ai"))  # to Ben
DAN, EVE, *_ = LABS
BOTH = ("resale", "train-ai")
FIRST = sublicense(BEN, DAN, [SOLD.digest], purposes=BOTH)
SECOND = sublicense(DAN, EVE, [SOLD.digest], FIRST.digest)
ITEM = SOLD.items[0]
BEGUN = int(NOW) - 60


def reasons(made: SnapshotPublisher, *held: Envelope, asker: bytes = EVE) -> set[str]:
    return {*verdicts([snapshot(made)], *held, asker=asker)}


@pytest.mark.parametrize("is_delta", [False, True])
async def test_it_names_sublicenses_and_their_holders(tmp_path: Path, is_delta: bool) -> None:
    with NodeRig(tmp_path) as rig:
        made = publisher(rig)
        await rig.give(SOLD)
        rig.confirm()
        if is_delta:
            await made.publish()
            assert reasons(made, SOLD, FIRST, SECOND) == {"stale"}
        await rig.give(FIRST, SECOND)
        rig.confirm()
        published = await made.publish()
        assert published
        assert published.number == is_delta
        keys = [sublicense_key(FIRST.digest), sublicense_key(SECOND.digest)]
        assert names(made, *keys, *map(person_key, (BEN, DAN, EVE))) == [True] * 5
        assert reasons(made, SOLD, FIRST, SECOND) == {"granted"}
        assert reasons(made, SOLD, SECOND) == {"other-grantee"}


@pytest.mark.parametrize("is_delta", [False, True])
async def test_one_that_came_after_the_last_reading_is_not_named(
    tmp_path: Path,
    is_delta: bool,
) -> None:
    with NodeRig(tmp_path) as rig:
        made = publisher(rig)
        await rig.give(SOLD)
        rig.confirm()
        if is_delta:
            await made.publish()
        rig.clock.time += 5
        await rig.give(FIRST)
        await made.publish()
        assert names(made, sublicense_key(FIRST.digest)) == [False]
        assert reasons(made, SOLD, FIRST, asker=DAN) == {"stale"}
        rig.confirm()
        await made.publish()
        assert reasons(made, SOLD, FIRST, asker=DAN) == {"granted"}


@pytest.mark.parametrize("is_delta", [False, True])
@pytest.mark.parametrize("scope", ["statement", "statements", "statements to"])
async def test_what_holders_withdraw_is_in_the_file(
    tmp_path: Path,
    scope: str,
    is_delta: bool,
) -> None:
    text = {
        "statement": f"statement 0x{FIRST.digest.hex()}",
        "statements": "statements",
        "statements to": f"statements to 0x{DAN.hex()}",
    }[scope]
    with NodeRig(tmp_path) as rig:
        made = publisher(rig)
        await rig.give(SOLD, FIRST, SECOND)
        rig.confirm()
        if is_delta:
            await made.publish()
            assert reasons(made, SOLD, FIRST, SECOND) == {"granted"}
        await rig.give(revocation(text, contributor=BEN))
        await made.publish()
        assert reasons(made, SOLD, FIRST, SECOND) == {"withdrawn"}


@pytest.mark.parametrize("is_delta", [False, True])
async def test_what_is_displaced_has_a_key_for_its_license(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    is_delta: bool,
) -> None:
    monkeypatch.setattr(passing, "COUNTED", 1)
    other = consent(2, purposes=BOTH)
    weak = sublicense(BEN, DAN, [SOLD.digest, other.digest], expires_at=END - 1)
    with NodeRig(tmp_path) as rig:
        made = publisher(rig)
        await rig.give(SOLD, other, weak)
        rig.confirm()
        if is_delta:
            await made.publish()
            assert reasons(made, SOLD, weak, asker=DAN) == {"granted"}
        await rig.give(FIRST)
        rig.confirm()
        await made.publish()
        keys = [displaced_key(weak.digest), displaced_for_key(weak.digest, SOLD.digest)]
        assert knows(made, *keys) == [True, True]
        assert knows(made, displaced_for_key(weak.digest, other.digest)) == [False]
        assert reasons(made, SOLD, weak, asker=DAN) == {"withdrawn"}
        assert reasons(made, other, weak, asker=DAN) == {"granted"}
        assert reasons(made, SOLD, FIRST, asker=DAN) == {"granted"}
        nothing_new = await made.publish()
        assert nothing_new
        assert nothing_new.head.counts.keys == 0


@pytest.mark.parametrize("is_delta", [False, True])
async def test_open_disputes_of_those_who_are_heeded_have_keys(
    tmp_path: Path,
    is_delta: bool,
) -> None:
    ended = dispute(CLEO, [bytes(32)], issued_at=BEGUN - 100, expires_at=BEGUN)
    withdrawn = dispute(CLEO, [b"\x02" * 32], issued_at=BEGUN + 1)
    strange = dispute(EVE, [ITEM], issued_at=BEGUN)
    with NodeRig(tmp_path, heeded=[CLEO]) as rig:
        made = publisher(rig, heeded=[CLEO])
        await rig.give(SOLD)
        rig.confirm()
        if is_delta:
            await made.publish()
        await rig.give(revocation(f"statement 0x{withdrawn.digest.hex()}", contributor=CLEO))
        await rig.give(dispute(CLEO, [ITEM], issued_at=BEGUN), ended, withdrawn, strange)
        published = await made.publish()
        assert published
        assert published.number == is_delta
        assert published.head.heeded == (CLEO,)
        asked = [dispute_key(CLEO, one) for one in (ITEM, bytes(32), b"\x02" * 32)]
        assert knows(made, *asked, dispute_key(EVE, ITEM)) == [True, False, False, False]
        assert verdicts([snapshot(made)], SOLD, heed=(CLEO,))[0] == "disputed"
        assert verdicts([snapshot(made)], SOLD, heed=(EVE,))[0] == "stale"
        assert verdicts([snapshot(made)], SOLD)[0] == "granted"


async def test_a_dispute_that_ends_stops_until_the_next_snapshot(tmp_path: Path) -> None:
    """Deltas take no key back."""
    claim = dispute(CLEO, [ITEM], issued_at=BEGUN)
    with NodeRig(tmp_path, heeded=[CLEO]) as rig:
        made, later = publisher(rig, heeded=[CLEO]), publisher(rig, heeded=[CLEO])
        await rig.give(SOLD, claim)
        rig.confirm()
        await made.publish()
        await rig.give(revocation(f"statement 0x{claim.digest.hex()}", contributor=CLEO))
        await made.publish()
        assert verdicts([snapshot(made)], SOLD, heed=(CLEO,))[0] == "disputed"
        await later.publish()
        assert verdicts([snapshot(later)], SOLD, heed=(CLEO,))[0] == "granted"


async def test_whom_a_node_doubts_its_file_does_not_heed(tmp_path: Path) -> None:
    with NodeRig(tmp_path, room=PendingRoom(signer=1), heeded=[CLEO]) as rig:
        made = publisher(rig, heeded=[CLEO])
        await rig.give(SOLD)
        rig.confirm()
        first = await made.publish()
        assert first
        assert first.head.heeded == (CLEO,)
        await rig.store.write(
            lambda db: db.execute(
                "INSERT INTO marks (digest, signer, source) VALUES (?, ?, '')", (bytes(32), CLEO)
            )
        )
        for one in (made, publisher(rig, heeded=[CLEO])):
            published = await one.publish()
            assert published
            assert published.head.heeded == ()
            assert verdicts([snapshot(one)], SOLD, heed=(CLEO,))[0] == "stale"


async def test_a_file_heeds_only_whom_enough_peers_heed(tmp_path: Path) -> None:
    """A peer that does not heed her keeps none of her disputes, so asking it says nothing of them."""
    with NodeRig(tmp_path, peers=tuple("abcd"), heeded=[CLEO]) as rig:
        made = publisher(rig, heeded=[CLEO])
        await rig.give(SOLD)
        rig.confirm()

        async def heeded(seconds: float, *by: str) -> tuple[bytes, ...]:
            """After some seconds, in which these peers stated that they heed her, and others did not."""
            rig.confirm()
            for one in "abcd":
                begun = rig.clock.time - (seconds if one in by else 0)
                rig.freshness.peer_synced(one, begun, [CLEO] if one in by else [])
            published = await publisher(rig, heeded=[CLEO]).publish()
            assert published
            assert published.head.moment.as_of == int(
                rig.clock.time - (seconds if CLEO in published.head.heeded else 0)
            )
            return published.head.heeded

        first = await made.publish()
        assert first
        assert first.head.heeded == (CLEO,)
        assert await heeded(0) == ()
        assert await heeded(0, "a") == ()
        delta = await made.publish()
        assert delta
        assert (delta.number, delta.head.heeded) == (1, ())
        assert verdicts([snapshot(made)], SOLD, heed=(CLEO,))[0] == "stale"
        assert await heeded(0, "a", "b") == (CLEO,)
        assert await heeded(599, "a", "c") == (CLEO,)
        assert await heeded(601, "a", "c") == ()


def test_a_delta_reads_what_was_displaced_by_index(tmp_path: Path) -> None:
    with NodeRig(tmp_path) as rig, rig.store.read() as db:
        query = f"EXPLAIN QUERY PLAN {statement_keys._DISPLACED} WHERE seq > 7"
        assert "SEARCH" in str(db.execute(query).fetchall())
