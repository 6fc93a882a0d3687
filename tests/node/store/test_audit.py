"""What is damaged is found by recomputation, and repaired from messages, peers and the chain."""

from pathlib import Path

import pytest

from node.store.test_damage import MESSAGES, SPOILS, WALLETS, check, look, spoil
from sayso_node.store.admission import revocations
from sayso_node.store.chain import chain_state, wallets
from sayso_node.store.integrity.audit import Damaged, Finding, audit
from sayso_node.store.integrity.repair import repair
from sayso_node.store.revocations import bits
from sayso_protocol.messages.envelope import Envelope
from sayso_protocol.verdicts.verdict import Reason
from support.node_rig import NOW, NodeRig, consent, revocation
from support.protocol_strategies import (
    ADA,
    BEN,
    CLEO,
    NETWORK,
    NODE,
    a_consent,
    full_words,
    item_hashes,
    signed,
)

SHARED = item_hashes(2, 77)
PAIR = tuple(sorted((ADA, CLEO)))
TABLES = {
    "people gone": ("DELETE FROM people", {Damaged.INDEX, Damaged.TOTAL, Damaged.STATE}),
    "terms gone": ("DELETE FROM terms", {Damaged.INDEX, Damaged.TOTAL}),
    "terms smaller": ("UPDATE terms SET permissions = 0", {Damaged.INDEX, Damaged.TOTAL}),
    "items gone": ("DELETE FROM items", {Damaged.INDEX}),
    "claims gone": ("DELETE FROM shared_claims", {Damaged.INDEX}),
    "claims moved": ("UPDATE shared_claims SET claim = randomblob(16)", {Damaged.INDEX}),
    "state sum": (
        "UPDATE singles SET value = zeroblob(length(value)) WHERE name = 'state-sum'",
        {Damaged.STATE},
    ),
    "totals": (
        "UPDATE singles SET value = zeroblob(20) WHERE name LIKE '%-total'",
        {Damaged.TOTAL},
    ),
    "sync sums": ("UPDATE sync_sums SET total = zeroblob(32)", {Damaged.SYNC}),
    "events gone": ("DELETE FROM events WHERE seq = 2", {Damaged.EVENTS}),
    "another's": ("UPDATE messages SET contributor = zeroblob(20) WHERE kind = 1", {Damaged.MESSAGE}),
    "messages gone": ("DELETE FROM messages WHERE kind = 1", {Damaged.SYNC}),
}


def shared(contributor: bytes) -> Envelope:
    message = a_consent(SHARED, contributor=contributor, parties=PAIR)
    return signed(message, SHARED).sponsored_by(NODE)


def findings(rig: NodeRig) -> list[Finding]:
    with rig.store.read() as db:
        return audit(db, NETWORK)


async def mend(rig: NodeRig) -> int:
    """Repair until nothing is found; returns how often."""
    for times in range(4):
        if not (found := findings(rig)):
            return times
        await rig.store.write(lambda db: repair(db, NETWORK, found, b"new id of 16 byt"))
    raise AssertionError(findings(rig))


async def fill(rig: NodeRig) -> list[Envelope]:
    """Consents of several people, one revoked by message, one on chain, and one as the wallet says."""
    held = [consent(at, count=2) for at in range(3)] + [shared(ADA), shared(CLEO)]
    await rig.give(*held)
    masks = [full_words(one.message) for one in held]
    await rig.give(
        revocation(contributor=ADA, words=masks[0]), revocation("via kled.ai", contributor=BEN)
    )
    await rig.store.write(lambda db: revocations.add_chain_bits(db, ADA, masks[1], NOW))
    await rig.store.write(lambda db: wallets.said(db, ADA, held[2].digest, NOW, NOW, accepted=False))
    rig.confirm()
    assert [await check(rig, one) for one in held[:3]] == [
        Reason.REVOKED,
        Reason.REVOKED,
        Reason.STALE,
    ]
    assert findings(rig) == []
    return held


@pytest.mark.parametrize("how", [*SPOILS, *MESSAGES, *WALLETS, *TABLES])
async def test_what_is_damaged_is_found_and_repaired(tmp_path: Path, how: str) -> None:
    path = tmp_path / "rig.sqlite"
    with NodeRig(tmp_path) as rig:
        held = await fill(rig)
        with rig.store.read() as db:
            state = bits.current_digest(db)
    change = SPOILS.get(how) or WALLETS.get(how) or TABLES.get(how, (None,))[0]
    spoil(path, change or (lambda db: MESSAGES[how](db, held[0])))
    with NodeRig(tmp_path) as rig:
        kinds = {one.kind for one in findings(rig)}
        if how == "another's mask" and not kinds:
            pytest.skip("all masks were alike")
        assert kinds
        assert kinds >= TABLES.get(how, (None, set[Damaged]()))[1]
        await mend(rig)
        with rig.store.read() as db:
            chain_is_lost = chain_state.is_reading_wanted(db, 1)
        if chain_is_lost:  # the follower reads it
            masks = full_words(held[1].message)
            await rig.store.write(lambda db: revocations.add_chain_bits(db, ADA, masks, NOW))
        rig.clock.time = NOW + 60
        rig.be_current()
        assert await look(rig, held[0]) in {Reason.REVOKED, Reason.UNKNOWN}
        assert await look(rig, held[1]) in {Reason.REVOKED, Reason.UNKNOWN}
        await rig.give(*held)  # peers bring what was dropped
        rig.confirm()
        assert [await look(rig, one) for one in held[:2]] == [Reason.REVOKED] * 2
        assert findings(rig) == []
        with rig.store.read() as db:
            assert bits.current_digest(db) == state
