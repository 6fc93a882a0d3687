"""A check whose rows name many licenses gives the answers of single verdicts, without their cost."""

import asyncio
import random
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from sayso_node.errors import NotRevoked
from sayso_node.store import erasure
from sayso_node.store.chain import wallets
from sayso_node.store.interface import Reading, Store, Writing
from sayso_node.store.messages import Message, insert_many
from sayso_node.store.revocations.known_bits import StoreBits
from sayso_node.verdicts import judge, knowledge, license_cache, stored_terms
from sayso_node.verdicts.judge import Check
from sayso_node.verdicts.knowledge import StoreKnowledge
from sayso_node.verdicts.license_cache import LicenseCache
from sayso_node.verdicts.reliance import Reliance, moment_of
from sayso_node.verdicts.stored_terms import LicenseBatch
from sayso_protocol.encoding.row_tree import ROW_BYTES
from sayso_protocol.messages.consent import Consent
from sayso_protocol.messages.envelope import Envelope, encode
from sayso_protocol.messages.message import CONSENT, as_kind
from sayso_protocol.primitives import ANYONE, NOBODY, sha256
from sayso_protocol.receipts.receipt import join_rows
from sayso_protocol.verdicts import rows as by_rows
from sayso_protocol.verdicts.chains import NEVER
from sayso_protocol.verdicts.license_table import Names, license_names
from sayso_protocol.verdicts.query import Query
from sayso_protocol.verdicts.rows import row_at
from sayso_protocol.verdicts.verdict import REASONS, Reason, Row, verdict
from support.dating import date_all
from support.node_rig import NodeRig, consent, revocation
from support.protocol_strategies import (
    ADA,
    BEN,
    CLEO,
    NETWORK,
    a_consent,
    full_words,
    item_hashes,
    signed,
)
from support.sql_steps import counted_steps

PAIR = tuple(sorted((ADA, CLEO)))
GRANTEES = (ANYONE, BEN, ADA)
PURPOSES = (("train-ai",), ("evaluate",), ("evaluate", "train-ai"))
ENDS = (1_760_000_000, 1_700_000_200)


def unverified(number: int, items: int = 1) -> Envelope:
    """A consent of a contributor of its own; the store is filled past its door."""
    hashes = item_hashes(items, number)
    who = sha256(b"%d" % number)[:20]
    message = a_consent(hashes, contributor=who, parties=(who,), grantee=ANYONE)
    return Envelope(message, NETWORK, bytes(65), hashes)


def filled_with(envelopes: list[Envelope], now: float) -> Any:
    def change(db: Writing) -> None:
        some = [Message(one.digest, CONSENT, one.message.signer, encode(one)) for one in envelopes]
        insert_many(db, enumerate(some, db.next_seq("messages", len(some))), now)

    return change


def rows_of(envelopes: list[Envelope], chance: random.Random) -> bytes:
    rows = [Row(one.digest, item) for one in envelopes for item in one.items]
    return join_rows(chance.sample(rows, len(rows)))


def world(chance: random.Random) -> list[Envelope]:
    """Licenses of one item, most of them, with every kind of terms."""
    made = []
    for number in range(70):
        items = item_hashes(chance.choice((1, 1, 1, 3)), number % 50)
        who = chance.choice((ADA, BEN, CLEO))
        together = who in PAIR and chance.random() < 0.4
        message = a_consent(
            items,
            contributor=who,
            parties=PAIR if together else (who,),
            grantee=chance.choice(GRANTEES),
            guardian=chance.choice((NOBODY, NOBODY, BEN)),
            purposes=chance.choice(PURPOSES),
            expires_at=chance.choice(ENDS) + number,
        )
        made.append(signed(message, items))
    return made


def stops(some: list[Envelope], chance: random.Random) -> list[Envelope]:
    """Revocations of whole licenses, single permissions and files."""
    found = []
    for one in chance.sample(some, 6):
        terms = as_kind(one.message, Consent)
        word, mask = next(iter(full_words(terms).items()))
        found += [
            revocation(contributor=terms.contributor, words=full_words(terms)),
            revocation(contributor=terms.contributor, words={word: mask & -mask}),
            revocation("file 0x" + one.items[0].hex(), contributor=terms.contributor),
        ]
    return found


def singly(rig: NodeRig, asked: Check) -> tuple[list[Reason], int]:
    """What `verdict` says of each row, made stale by rule 8.9; and the least time that a row lasts."""
    now = rig.clock.now()
    _, moment = moment_of(rig.freshness, asked, now)
    reasons, until = [], []
    with rig.store.read() as db:
        known = StoreKnowledge(db, NETWORK, LicenseCache(), StoreBits(db))
        reliance = Reliance(known, moment)
        for at in range(len(asked.rows) // ROW_BYTES):
            row = row_at(asked.rows, at)
            reason = verdict(known, row, asked.query, now)
            if reason is Reason.UNKNOWN and row.license in known.erased:
                reason = Reason.REVOKED
            if reason is Reason.GRANTED:
                until.append(reliance.of_row(row))
                reason = Reason.STALE if until[-1] == NEVER else reason
            reasons.append(reason)
    return reasons, int(min((one for one in until if one != NEVER), default=0))


def erase_some(network: Any, some: list[Envelope]) -> Any:
    def change(db: Writing) -> None:
        for one in some:
            try:
                date_all(db)
                erasure.erase(db, network, one.digest)
            except NotRevoked:
                continue

    return change


@pytest.mark.parametrize(
    "seed", [0, 1, *(pytest.param(one, marks=pytest.mark.long) for one in range(2, 6))]
)
async def test_the_answers_are_those_of_single_verdicts(
    rig: NodeRig, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    chance = random.Random(seed)
    made = world(chance)
    early, late = made[:55], made[55:62]  # the others are absent
    early = list({one.digest: one for one in early}.values())
    rig.clock.time = as_kind(made[0].message, Consent).issued_at + 500
    await rig.give(*early, *stops(early, chance))
    rig.clock.time += 10
    rig.be_current()
    await rig.give(*late)
    await rig.store.write(erase_some(NETWORK, early[:30]))
    monkeypatch.setattr(judge, "ROWS_AT_ONCE", 7)
    monkeypatch.setattr(by_rows, "CONSENTS_AT_ONCE", 3)
    monkeypatch.setattr(knowledge, "KEPT_CONSENTS", 5)
    monkeypatch.setattr(stored_terms, "READ_AT_ONCE", 4)
    monkeypatch.setattr(stored_terms, "BATCH_WEIGHT", 100)
    strange = [Row(made[0].digest, bytes(32)), Row(bytes(32), made[0].items[0])]
    rows = [Row(one.digest, item) for one in made for item in one.items] * 2 + strange
    seen = set()
    for round_ in range(4):
        if round_ == 2:  # answers of a contract wallet, and a mark for a dropped revocation

            def unsure(db: Writing) -> None:
                now = rig.clock.time
                for number, one in enumerate(early[30:40]):
                    who = one.message.signer
                    wallets.said(db, who, one.digest, now - 5 * number, now, accepted=True)
                into = "INSERT INTO marks (digest, signer, source) VALUES (?, ?, 'test')"
                db.execute(into, (bytes(8), chance.choice(PAIR)))

            await rig.store.write(unsure)
        for most in (0, 5_000, license_cache.MOST_BYTES):
            rig.judge._licenses = LicenseCache(most)
            for query in (Query(BEN, "train-ai"), Query(CLEO, "evaluate")):
                asked = Check(query, 20, "run", join_rows(chance.sample(rows, len(rows))))
                expected, until = singly(rig, asked)
                for _ in range(2):  # from the store, and from memory
                    answer = rig.judge.judge(asked)
                    assert [REASONS[number] for number in answer.reasons] == expected
                    assert answer.until == until
                seen |= set(expected)
    assert seen >= {Reason.GRANTED, Reason.REVOKED, Reason.STALE, Reason.UNKNOWN, Reason.EXPIRED}


async def test_a_license_costs_no_statement_and_no_object_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Statements grow with thousands of licenses; consents are built for people with bits only."""
    some = [unverified(number) for number in range(3_000)]
    built, statements = list[str](), list[str]()
    monkeypatch.setattr(stored_terms, "filled", lambda kind, *_: built.append(kind.__name__))
    with counted_steps(), NodeRig(tmp_path) as rig:
        await rig.store.write(filled_with(some, rig.clock.now()))
        rig.clock.time += 10
        rig.be_current()
        with rig.store.read() as db:
            db.set_trace_callback(statements.append)  # type: ignore[attr-defined]
        asked = Check(Query(BEN, "train-ai"), 60, "run", rows_of(some, random.Random(1)))
        counts = []
        for _ in range(2):
            statements.clear()
            assert set(rig.judge.judge(asked).reasons) == {Reason.GRANTED.number}
            counts.append(len([one for one in statements if one.startswith(("SELECT", "\nWITH"))]))
    cold, warm = counts
    # Two looks for those with bits for each thousand; marks, wallets and the digest.
    assert warm <= 2 * 3 + 5
    assert cold <= warm + 2 * 3  # their places, then their bodies
    assert not built


@pytest.mark.parametrize("batched", [False, True])
async def test_memory_is_bounded_by_the_rows_and_the_cache(
    rig: NodeRig, monkeypatch: pytest.MonkeyPatch, batched: bool
) -> None:
    """One row of each of many licenses with many items: the items that no row names are given back."""
    some = [unverified(number, 1_024) for number in range(64)]
    await rig.store.write(filled_with(some, rig.clock.now()))
    rig.judge._licenses = LicenseCache(100_000)
    if batched:
        monkeypatch.setattr(stored_terms, "BATCH_WEIGHT", 4 * 1_024)
        monkeypatch.setattr(stored_terms, "READ_AT_ONCE", 4)
    rows = join_rows([Row(one.digest, one.items[7]) for one in some])
    tracemalloc.start()
    try:
        rig.judge.judge(Check(Query(BEN, "train-ai"), 60, "run", rows))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    whole = 64 * 1_024 * 47  # a table of them all
    assert peak < whole / 2 if batched else peak > whole


@pytest.mark.parametrize("erased", [False, True])
async def test_a_revocation_while_licenses_are_read_counts(
    rig: NodeRig, monkeypatch: pytest.MonkeyPatch, erased: bool
) -> None:
    mine = consent(1)
    await rig.give(mine)
    rig.clock.time += 10
    rig.be_current()
    loop, read = asyncio.get_running_loop(), stored_terms.read_batches

    async def revoke() -> None:
        await rig.give(revocation(words=full_words(as_kind(mine.message, Consent))))
        if erased:
            await rig.store.write(date_all)
            await rig.store.write(lambda db: erasure.erase(db, NETWORK, mine.digest))

    def reading(store: Store, names: Names) -> Iterator[LicenseBatch]:
        yield from read(store, names)
        asyncio.run_coroutine_threadsafe(revoke(), loop).result(60)

    monkeypatch.setattr(judge, "read_batches", reading)
    asked = Check(Query(BEN, "train-ai"), 60, "run", rows_of([mine], random.Random(1)))
    answer = await asyncio.to_thread(rig.judge.judge, asked)
    assert [*answer.reasons] == [Reason.REVOKED.number]
    with rig.store.read() as db:
        assert answer.state == StoreKnowledge(db, NETWORK, rig.licenses, StoreBits(db)).digest


async def test_reading_licenses_holds_no_transaction_for_long(
    rig: NodeRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thousand licenses a transaction, and none is open while a batch is worked on."""
    some = [unverified(number) for number in range(3_000)]
    await rig.store.write(filled_with(some, rig.clock.now()))
    monkeypatch.setattr(stored_terms, "BATCH_WEIGHT", 1)
    names = license_names(rows_of(some, random.Random(1)))
    seen, open_now = list[str](), list[Reading]()

    @contextmanager
    def read() -> Iterator[Reading]:
        with rig.store.read() as db:
            open_now.append(db)
            yield db
            open_now.clear()
        seen.append("read")

    for batch in stored_terms.read_batches(cast("Store", SimpleNamespace(read=read)), names):
        assert not open_now
        seen.append(f"{len(batch.cache.names)} licenses")
    assert seen == ["read"] * 3 + ["read", "1000 licenses"] * 3
