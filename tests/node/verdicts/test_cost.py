"""The cost of an answer is bounded by the answer, not by what strangers or its own people stored.

Work is counted in instructions of SQLite and in decoded messages, never in time.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import pytest

from sayso_node.api.http.paging import Pages, Wanted
from sayso_node.api.routes import licenses as license_routes
from sayso_node.api.routes.claims import ClaimRoutes
from sayso_node.api.routes.licenses import LicenseRoutes
from sayso_node.store.interface import Writing
from sayso_node.store.revocations import bits
from sayso_node.store.revocations.known_bits import FEW_WORDS
from sayso_node.verdicts import knowledge, stored_terms
from sayso_node.verdicts.judge import Check
from sayso_node.verdicts.license_cache import LicenseCache
from sayso_node.verdicts.status_desk import StatusDesk, StatusQuestion
from sayso_protocol.ethereum.batches import Batch
from sayso_protocol.messages.consent import Consent
from sayso_protocol.messages.envelope import Envelope, decode, encode
from sayso_protocol.messages.message import as_kind
from sayso_protocol.permissions.scopes import SCOPE_FLAG
from sayso_protocol.primitives import ANYONE
from sayso_protocol.receipts.receipt import join_rows
from sayso_protocol.verdicts.query import Query
from sayso_protocol.verdicts.verdict import REASONS, Reason, Row
from support.node_rig import NOW, NodeRig, consent, revocation
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
from support.sql_steps import Steps, counted_steps

QUERY = Query(BEN, "train-ai")
ITEMS = item_hashes(50, 1)
PAIR = tuple(sorted((ADA, CLEO)))
Work = Callable[["World"], Sequence[Reason]]


def on_items(contributor: bytes, parties: Sequence[bytes], days: int = 0, **changes: object) -> Envelope:
    """A consent on always the same items, which ends on another day."""
    ends = 1_760_000_000 + days
    message = a_consent(
        ITEMS, contributor=contributor, parties=tuple(sorted(parties)), expires_at=ends, **changes
    )
    return signed(message, ITEMS)


@dataclass
class World:
    """A node with a fresh memory, and counters of its work."""

    rig: NodeRig
    steps: Steps
    mine: Envelope
    decoded: int = 0

    async def look(self) -> list[Reason]:
        """One status question."""
        rig = self.rig
        desk = StatusDesk(
            NETWORK, rig.store, rig.freshness, rig.identity, rig.clock, rig.counters, rig.licenses
        )
        question = StatusQuestion(Row(self.mine.digest, ITEMS[0]), QUERY, 60)
        return [(await desk.ask(question)).status.reason]

    async def check(self) -> list[Reason]:
        """A check of all items."""
        rows = join_rows([Row(self.mine.digest, item) for item in ITEMS])
        found = self.rig.judge.judge(Check(QUERY, 60, "run", rows))
        return [REASONS[number] for number in found.reasons]

    async def page(self) -> list[Reason]:
        """One consent of the contributor, and what is revoked of it."""
        [one], _ = self._licenses()._consents(self.mine.message.signer, Wanted(0, 1))
        return [Reason.REVOKED] * one.revoked_permissions

    async def whole(self) -> list[Reason]:
        """The license as a whole."""
        one = self._licenses()._describe(self.mine.digest)
        return [Reason.REVOKED] * one.revoked_permissions

    async def claims(self) -> list[Reason]:
        """One claim on the item."""
        lists = ClaimRoutes(NETWORK, self.rig.store, Pages(self.rig.identity))
        [one], _ = lists._claims(ITEMS[0], Wanted(0, 1))
        return [Reason.REVOKED] * len(one.revoked_purposes)

    def _licenses(self) -> LicenseRoutes:
        rig = self.rig
        pages = Pages(rig.identity)
        return LicenseRoutes(NETWORK, rig.store, rig.freshness, rig.clock, pages, finality=0)


ANSWERS = ["look", "check", "page", "whole", "claims"]


@contextmanager
def world(folder: Path, mine: Envelope) -> Iterator[World]:
    """A node whose decoded consents and SQL are counted."""
    with counted_steps() as steps, NodeRig(folder) as rig:
        made = World(rig, steps, mine)

        def counted(work: Callable[..., object]) -> Callable[..., object]:
            def counting(*arguments: object) -> object:
                made.decoded += 1
                return work(*arguments)

            return counting

        with (
            mock.patch.object(knowledge, "decode", counted(decode)),
            mock.patch.object(stored_terms, "_decode", counted(stored_terms._decode)),
        ):
            yield made


async def cost(made: World, answer: str) -> tuple[int, int, list[Reason]]:
    """SQL, decoded consents and the answer itself, with nothing in memory."""
    made.rig.clock.time = NOW + 1_000
    made.rig.be_current()
    made.rig.licenses = made.rig.judge._licenses = LicenseCache()
    with made.rig.store.read() as db:  # so that opening a connection is not counted
        db.execute("SELECT 1 FROM messages")
    steps, decoded = made.steps.count, made.decoded
    found = await getattr(made, answer)()
    return made.steps.count - steps, made.decoded - decoded, found


def words(address: bytes, count: int) -> Callable[[Writing], None]:
    """Bits of an address in many words, half of them scopes."""

    def change(db: Writing) -> None:
        numbers = (at // 2 | (SCOPE_FLAG if at % 2 else 0) for at in range(count))
        one = (1).to_bytes(32)
        bits.put(db, address, [(number.to_bytes(32), one, bytes(32)) for number in numbers])

    return change


async def costs(
    folder: Path, answer: str, mine: Envelope, *flood: Callable[[NodeRig], object] | object
) -> list[tuple[int, int, list[Reason]]]:
    """What an answer costs in nodes that hold more and more."""
    found = []
    for at, fill in enumerate(flood):
        (folder / str(at)).mkdir()
        with world(folder / str(at), mine) as made:
            await made.rig.give(mine)
            await fill(made.rig)  # type: ignore[operator]
            found.append(await cost(made, answer))
    return found


def given(*envelopes: Envelope) -> Callable[[NodeRig], object]:
    return lambda rig: rig.give(*envelopes)


@pytest.mark.parametrize("answer", ANSWERS)
@pytest.mark.parametrize("who", ["contributor", "guardian"])
async def test_words_of_an_address(tmp_path: Path, answer: str, who: str) -> None:
    mine = on_items(ADA, [ADA], guardian=CLEO)
    address = ADA if who == "contributor" else CLEO

    def fill(count: int) -> Callable[[NodeRig], object]:
        return lambda rig: rig.store.write(words(address, count))

    few, many, most = await costs(tmp_path, answer, mine, fill(FEW_WORDS), fill(1_000), fill(10_000))
    assert few[2] == many[2] == most[2]
    assert most[0] <= many[0] + 20  # a level of the index
    # A check and a whole license look up two scopes of each item; a look and a claim some ten words.
    assert most[0] <= few[0] + (700 if answer in ("look", "claims") else 100 * len(ITEMS))


@pytest.mark.parametrize("answer", ["look", "check"])
async def test_strangers_claims_on_an_item(tmp_path: Path, answer: str) -> None:
    mine, hers = on_items(ADA, PAIR), on_items(CLEO, PAIR)
    few, many = (
        [hers, *(on_items(BEN, (BEN, *others), days) for days in range(count) for others in ((), PAIR))]
        for count in (1, 60)
    )
    small, large = await costs(tmp_path, answer, mine, given(*few), given(*many))
    assert set(small[2]) == {Reason.GRANTED}
    assert large[1:] == small[1:]
    assert large[0] <= 1.1 * small[0]


@pytest.mark.parametrize("answer", ["look", "check"])
async def test_a_party_that_floods_its_own_item(tmp_path: Path, answer: str) -> None:
    """Each of them is revoked one by one, so that none clears the row."""
    mine = on_items(ADA, PAIR)

    def flood(count: int) -> list[Envelope]:
        some = [on_items(CLEO, PAIR, days, via=f"m{days}.example") for days in range(count)]
        masks = [full_words(as_kind(one.message, Consent)) for one in some]
        return [*some, *(revocation(contributor=CLEO, words=one) for one in masks)]

    small, large = await costs(tmp_path, answer, mine, given(*flood(20)), given(*flood(80)))
    assert set(small[2]) == {Reason.REVOKED}
    assert large[1:] == small[1:]
    assert large[0] <= 1.1 * small[0]


async def test_rows_of_one_item_ask_its_parties_once(tmp_path: Path) -> None:
    """Many licenses of the same list on the same item, in one check."""
    mine = [on_items(ADA, PAIR, days) for days in range(40)]
    hers = on_items(CLEO, PAIR)
    found = []
    for count in (4, 40):
        (tmp_path / str(count)).mkdir()
        with world(tmp_path / str(count), mine[0]) as made:
            await made.rig.give(*mine, hers, revocation("file 0x" + ITEMS[0].hex(), contributor=CLEO))
            made.rig.clock.time = NOW + 1_000
            made.rig.be_current()
            rows = join_rows([Row(one.digest, ITEMS[0]) for one in mine[:count]])
            looked = made.decoded
            answer = made.rig.judge.judge(Check(QUERY, 60, "run", rows))
            assert set(answer.reasons) == {Reason.REVOKED.number}
            found.append(made.decoded - looked - 2 * count)  # for the table, and for its parties
    assert found[0] == found[1]


async def test_a_row_is_stale_only_if_every_way_is(tmp_path: Path) -> None:
    """Rule 8.9: a consent that came late makes no row stale that another way of its party clears."""
    with world(tmp_path, on_items(ADA, PAIR)) as made:
        rig = made.rig
        await rig.give(made.mine)
        rig.clock.time = NOW + 100
        rig.be_current()
        await rig.give(on_items(CLEO, PAIR))
        assert (await made.look(), set(await made.check())) == ([Reason.STALE], {Reason.STALE})
        rig.clock.time = NOW + 200
        rig.be_current()
        await rig.give(on_items(CLEO, PAIR, 5, grantee=ADA), on_items(ADA, PAIR, 5))
        await rig.give(on_items(CLEO, PAIR, 6, grantee=ANYONE))
        assert (await made.look(), set(await made.check())) == ([Reason.GRANTED], {Reason.GRANTED})


async def test_a_page_ends_with_its_work_and_builds_no_proof(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with NodeRig(tmp_path) as rig:
        held = [consent(number, count=4) for number in range(9)]
        await rig.give(*held)
        routes = LicenseRoutes(
            NETWORK, rig.store, rig.freshness, rig.clock, Pages(rig.identity), finality=0
        )
        monkeypatch.setattr(license_routes, "PERMISSIONS", 3 * 4 * 2)
        monkeypatch.setattr(Batch, "proof", None)
        rows, places = routes._consents(ADA, Wanted(0, 100))
        assert [one.license for one in rows] == ["0x" + one.digest.hex() for one in held[:-4:-1]]
        assert len(places) > len(rows)
        assert len(encode(held[0])) < 1_000
