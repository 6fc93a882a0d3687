"""Which statements a node keeps, and what each newcomer completes (rule 7.17)."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from sayso_node.intake.outcome import SourceChannel, Status
from sayso_node.store.admission.sponsors import Quotas
from sayso_node.store.statements import sublicenses, waiting
from sayso_node.store.statements.waiting import StatementRoom
from sayso_node.store.sync import entries as sync_entries
from sayso_protocol.errors import (
    BadSignature,
    FromTheFuture,
    InvalidStatement,
    NotSponsored,
    WrongNetwork,
)
from sayso_protocol.messages.envelope import Envelope, encode
from sayso_protocol.network import Network
from sayso_protocol.primitives import sha256
from sayso_protocol.sync.fingerprints import ROOT
from support.holders import LABS, T, dispute, removal, sublicense, use
from support.node_rig import NOW, NodeRig, consent, revocation
from support.protocol_strategies import ADA, BEN, CLEO, NETWORK

SOLD = consent(1, purposes=("resale", "train-ai"))  # to Ben
OTHER = consent(2, grantee=CLEO)
DAN, EVE, FAY, GUS, HAL = LABS
DIGEST = SOLD.digest


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[NodeRig]:
    with NodeRig(tmp_path) as rig:
        yield rig


def chain(length: int, license_hash: bytes = DIGEST) -> list[Envelope]:
    """Sublicenses from Ben on, each by the grantee of the one before it."""
    people, found, parent = (BEN, DAN, EVE, FAY, GUS, HAL), list[Envelope](), bytes(32)
    for signer, grantee in pairwise(people[: length + 1]):
        found.append(sublicense(signer, grantee, [license_hash], parent))
        parent = found[-1].digest
    return found


async def statuses(rig: NodeRig, *envelopes: Envelope) -> list[Status]:
    return [one.status for one in await rig.give(*envelopes)]


async def test_a_sublicense_of_the_grantee_is_kept_and_synced_once(rig: NodeRig) -> None:
    one = sublicense(BEN, DAN, [DIGEST])
    assert await statuses(rig, SOLD, one) == [Status.STORED] * 2
    assert await statuses(rig, one) == [Status.KNOWN]
    with rig.store.read() as db:
        assert [e.id for e in sync_entries.entries(db, 3, ROOT)] == [one.digest]
        assert sublicenses.sublicenses_to(db, DIGEST, DAN) == [(one.digest, 1, 1_800_000_000)]
        terms = sublicenses.sublicense_of(db, one.digest)
        assert terms
        assert terms[1:-1] == (bytes(32), BEN, DAN, ("train-ai",), T, 1_800_000_000, NOW)


async def test_a_strangers_sublicense_waits_without_a_mark(rig: NodeRig) -> None:
    one = sublicense(CLEO, DAN, [DIGEST])
    assert await statuses(rig, SOLD, one, one) == [Status.STORED, Status.PENDING, Status.PENDING]
    assert rig.digests() == {DIGEST}
    with rig.store.read() as db:
        assert waiting.load(db) == waiting.BASE_WEIGHT + 1
        assert sublicenses.sublicenses_to(db, DIGEST, DAN) == []
        assert db.execute("SELECT count(*) FROM marks").fetchone() == (0,)


async def test_a_consent_completes_a_whole_chain_in_one_step(rig: NodeRig) -> None:
    links = chain(4)
    assert await statuses(rig, *reversed(links), use(GUS, [DIGEST])) == [Status.PENDING] * 5
    assert await statuses(rig, SOLD) == [Status.STORED]
    assert len(rig.digests()) == 6
    with rig.store.read() as db:
        assert [sublicenses.depth_of(db, DIGEST, one.digest) for one in links] == [1, 2, 3, 4]
        assert waiting.load(db) == 0
        assert db.execute("SELECT count(*) FROM waiting_names").fetchone() == (0,)


async def test_those_that_complete_each_other_in_one_bundle_are_all_stored(rig: NodeRig) -> None:
    await rig.give(SOLD)
    assert await statuses(rig, use(GUS, [DIGEST]), *reversed(chain(4))) == [Status.STORED] * 5


async def test_a_fifth_hop_is_never_kept(rig: NodeRig) -> None:
    for order in (chain(5), [*reversed(chain(5))]):
        await rig.give(*order)
    await rig.give(SOLD)
    (again,) = await rig.give(chain(5)[-1])
    assert again.status is Status.PENDING
    assert rig.digests() == {DIGEST, *(one.digest for one in chain(4))}


async def test_a_parent_of_another_license_or_grantee_completes_nothing(rig: NodeRig) -> None:
    await rig.give(SOLD, consent(3))
    first = sublicense(BEN, DAN, [DIGEST])
    wrong = [
        sublicense(DAN, EVE, [consent(3).digest], first.digest),  # its parent does not name that license
        sublicense(EVE, FAY, [DIGEST], first.digest),  # its signer is not the grantee
        sublicense(BEN, FAY, [DIGEST], first.digest),  # likewise
        sublicense(DAN, FAY, [DIGEST]),  # Dan has no consent
    ]
    assert await statuses(rig, first, *wrong) == [Status.STORED] + [Status.PENDING] * 4


async def test_one_license_is_enough_and_the_others_follow(rig: NodeRig) -> None:
    late = consent(3)
    both = sublicense(BEN, DAN, [DIGEST, late.digest])
    below = sublicense(DAN, EVE, [late.digest], both.digest)
    assert await statuses(rig, SOLD, both, below) == [Status.STORED, Status.STORED, Status.PENDING]
    with rig.store.read() as db:
        assert sublicenses.depth_of(db, late.digest, both.digest) is None
    await rig.give(late)
    with rig.store.read() as db:
        assert sublicenses.depth_of(db, late.digest, both.digest) == 1
        assert sublicenses.depth_of(db, late.digest, below.digest) == 2


@pytest.mark.parametrize("made", [use, removal], ids=["use", "removal"])
async def test_holders_are_heard_and_others_only_claim(rig: NodeRig, made: Any) -> None:
    link = sublicense(BEN, DAN, [DIGEST])
    await rig.give(SOLD, link, OTHER)
    kept = [made(BEN, [DIGEST]), made(DAN, [DIGEST]), made(DAN, [link.digest])]
    kept.append(made(CLEO, [OTHER.digest]))
    claims = [made(EVE, [DIGEST]), made(BEN, [link.digest]), made(ADA, [DIGEST]), made(CLEO, [DIGEST])]
    assert await statuses(rig, *kept) == [Status.STORED] * 4
    assert await statuses(rig, *claims) == [Status.PENDING] * 4
    # one license held is enough
    assert await statuses(rig, made(CLEO, [DIGEST, OTHER.digest])) == [Status.STORED]
    await rig.give(sublicense(DAN, EVE, [DIGEST], link.digest))
    assert claims[0].digest in rig.digests()


async def test_nobody_holds_a_license_to_anyone(rig: NodeRig) -> None:
    open_license = consent(4, grantee=bytes(20))
    await rig.give(open_license)
    assert await statuses(rig, use(BEN, [open_license.digest])) == [Status.PENDING]


async def test_grantees_are_known_so_their_scopes_are_kept(rig: NodeRig) -> None:
    stops = [revocation("everything", contributor=one) for one in (BEN, CLEO)]
    assert await statuses(rig, *stops) == [Status.PENDING] * 2
    await rig.give(SOLD)  # Ben is its grantee
    assert {one.digest for one in stops} & rig.digests() == {stops[0].digest}
    await rig.give(sublicense(BEN, CLEO, [DIGEST]))
    assert {one.digest for one in stops} <= rig.digests()


async def test_disputes_of_heeded_addresses_are_kept_and_others_wait(tmp_path: Path) -> None:
    files = [sha256(b"a file")]
    with NodeRig(tmp_path, heeded=[CLEO]) as rig:
        assert await statuses(rig, dispute(CLEO, files), dispute(BEN, files)) == [
            Status.STORED,
            Status.PENDING,
        ]
        assert await statuses(rig, revocation("everything", contributor=CLEO)) == [Status.STORED]
        with rig.store.read() as db:
            rows = db.execute("SELECT hash, signer, digest, subject FROM disputes").fetchall()
            assert rows == [(files[0], CLEO, dispute(CLEO, files).digest, "files")]
            assert db.execute("SELECT count(*) FROM people").fetchone() == (0,)


async def test_who_is_heeded_since_this_start_is_heard_at_once(tmp_path: Path) -> None:
    said = dispute(CLEO, [sha256(b"a file")]), revocation("everything", contributor=CLEO)
    with NodeRig(tmp_path) as rig:
        assert await statuses(rig, *said, dispute(BEN, [DIGEST])) == [Status.PENDING] * 3
    with NodeRig(tmp_path, heeded=[CLEO]) as rig:
        await rig.intake.heed()
        assert rig.digests() == {one.digest for one in said}


async def test_a_declined_dispute_of_a_heeded_address_marks_it_until_it_returns(
    tmp_path: Path,
) -> None:
    one = dispute(CLEO, [sha256(b"a file")])
    with NodeRig(tmp_path, heeded=[CLEO], quotas=Quotas(strangers=0)) as rig:
        assert await statuses(rig, one, dispute(BEN, one.items)) == [Status.REFUSED, Status.PENDING]
        with rig.store.read() as db:
            marked = db.execute("SELECT signer, digest FROM marks").fetchall()
            assert marked == [(CLEO, one.digest[:8])]
    with NodeRig(tmp_path, heeded=[CLEO]) as rig:
        assert await statuses(rig, one) == [Status.STORED]
        with rig.store.read() as db:
            assert db.execute("SELECT count(*) FROM marks").fetchone() == (0,)


async def test_quotas_count_hashes_apart_from_consents(tmp_path: Path) -> None:
    with NodeRig(tmp_path, quotas=Quotas(strangers=4, hashes=1)) as rig:
        some = [consent(n) for n in range(2)]
        await rig.give(*some)
        held = [one.digest for one in some]
        (kept,) = await rig.give(use(BEN, held, "1"))
        (declined,) = await rig.give(use(BEN, [*held, sha256(b"a"), sha256(b"b"), sha256(b"c")], "2"))
        assert (kept.status, declined.status) == (Status.STORED, Status.REFUSED)
        (more,) = await rig.give(consent(5))
        assert more.status is Status.STORED


async def test_what_waits_is_bounded_for_each_source_and_signer(tmp_path: Path) -> None:
    room = StatementRoom(hashes=200, source=100, signer=60)
    with NodeRig(tmp_path, statements=room) as rig:
        for number in range(9):
            await rig.take([encode(use(CLEO, [DIGEST], f"{number}"))], SourceChannel.SYNC, "a")
        with rig.store.read() as db:
            assert waiting.load(db) == 51
        for number in range(9):
            for who in (DAN, EVE, FAY):
                await rig.take([encode(use(who, [DIGEST], f"{number}"))], SourceChannel.SYNC, "b")
        with rig.store.read() as db:
            assert db.execute("SELECT source, weight FROM waiting_sources").fetchall() == [
                ("a", 51),
                ("b", 85),
            ]
        await rig.take([encode(use(GUS, [DIGEST], f"{n}")) for n in range(5)], SourceChannel.SYNC, "c")
        await rig.take([encode(use(HAL, [DIGEST], f"{n}")) for n in range(5)], SourceChannel.SYNC, "d")
        with rig.store.read() as db:
            assert waiting.load(db) <= room.hashes
            names = db.execute("SELECT count(*) FROM waiting_names").fetchone()
            assert names == db.execute("SELECT count(*) FROM waiting").fetchone()
            assert db.execute("SELECT weight FROM waiting_sources WHERE source = 'a'").fetchone()


@pytest.mark.parametrize(
    ("broken", "error"),
    [
        (lambda one: replace(one, signature=bytes(64)), BadSignature),
        (lambda one: replace(one, signature=bytes(66)), BadSignature),
        (lambda one: replace(one, signature=use(CLEO, [DIGEST]).signature), BadSignature),
        (lambda one: replace(one, network=Network(1, NETWORK.registry)), WrongNetwork),
        (lambda one: replace(one, network=Network(NETWORK.chain_id, b"\1" * 20)), WrongNetwork),
        (lambda one: replace(one, items=(bytes(32),)), InvalidStatement),
        (lambda one: replace(one, items=()), InvalidStatement),
        (lambda one: replace(one, items=(*one.items, *one.items)), InvalidStatement),
    ],
    ids=["short", "long", "another's", "chain", "registry", "other hash", "none", "twice"],
)
@pytest.mark.parametrize("made", [use, removal], ids=["use", "removal"])
async def test_what_is_wrong_is_refused_and_nothing_is_stored(
    rig: NodeRig, made: Any, broken: Any, error: type[Exception]
) -> None:
    await rig.give(SOLD)
    (outcome,) = await rig.give(broken(made(BEN, [DIGEST])))
    assert outcome.status is Status.REFUSED
    assert isinstance(outcome.error, error)
    assert rig.digests() == {DIGEST}
    with rig.store.read() as db:
        assert waiting.load(db) == 0


@pytest.mark.parametrize(
    "early",
    [
        sublicense(BEN, DAN, [DIGEST], issued_at=int(NOW) + 601),
        use(BEN, [DIGEST], used_at=int(NOW) + 601),
        dispute(BEN, [DIGEST], issued_at=int(NOW) + 601),
    ],
    ids=["sublicense", "use", "dispute"],
)
async def test_what_is_dated_ahead_is_refused_for_now(rig: NodeRig, early: Envelope) -> None:
    await rig.give(SOLD)
    (outcome,) = await rig.give(early)
    assert isinstance(outcome.error, FromTheFuture)
    rig.clock.time += 1
    (outcome,) = await rig.give(early)
    assert outcome.status in {Status.STORED, Status.PENDING}


async def test_peers_need_a_sponsor(rig: NodeRig) -> None:
    (outcome,) = await rig.give(replace(use(BEN, [DIGEST]), sponsor=None), source=SourceChannel.GOSSIP)
    assert isinstance(outcome.error, NotSponsored)
