"""A delta costs what is new: neither its statements nor its keys grow with what a store holds."""

import sqlite3
from pathlib import Path

import pytest

from sayso_node.store.admission import revocations
from sayso_node.store.opening import snapshot_at
from sayso_node.store.snapshots import news, whole
from sayso_node.store.snapshots.address_keys import PERMISSION_KEYS, SCOPE_KEYS, AddressKeys
from sayso_protocol.permissions.scopes import scope_word
from sayso_protocol.primitives import sha256
from sayso_protocol.snapshots import keys as keys_module
from support.filled_store import add_revoked
from support.node_rig import NodeRig, consent, revocation
from support.protocol_strategies import ADA, CLEO, NETWORK, full_words
from support.published import terms

SIZES = (200, 800)
LATER = 9e9
SCOPE = scope_word("via kled.ai")


async def grown(folder: Path, people: int) -> tuple[NodeRig, news.Cursor]:
    """A node that holds licenses and revocations of so many people, and of Ada likewise."""
    rig = NodeRig(folder, name=f"rig{people}")
    with rig:
        await rig.give(consent(1))
        await rig.store.write(lambda db: add_revoked(db, people, ADA))
    with snapshot_at(rig.store.location) as db:
        return rig, news.position(db, LATER)


def steps_of_news(rig: NodeRig, after: news.Cursor) -> tuple[int, news.News]:
    """Instructions of SQLite's machine, each row of a scan being several."""
    steps = 0

    def step() -> int:
        nonlocal steps
        steps += 1
        return 0

    with snapshot_at(rig.store.location) as db:
        assert isinstance(db, sqlite3.Connection)
        db.set_progress_handler(step, 1)
        assert news.position(db, LATER).follows(after)
        found = news.read_news(db, after, NETWORK, LATER, ())
        db.set_progress_handler(None, 1)
    return steps, found


async def test_a_delta_without_news_reads_nothing(tmp_path: Path) -> None:
    seen = []
    for size in SIZES:
        rig, after = await grown(tmp_path, size)
        steps, found = steps_of_news(rig, after)
        assert found == news.News(b"", [], [])
        seen.append(steps)
    assert seen[0] == seen[1] < 1_000


async def test_a_delta_costs_its_news(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """New people, a new license of somebody with many, and new bits of both kinds."""
    made = 0

    def counted(data: bytes) -> bytes:
        nonlocal made
        made += 1
        return plain(data)

    plain = sha256
    seen = []
    for size in SIZES:
        rig, after = await grown(tmp_path, size)
        with rig:
            await rig.give(consent(2), consent(3, contributor=CLEO, parties=(CLEO,)))
            await rig.give(revocation("everything"), revocation("everything", contributor=CLEO))
            await rig.give(revocation(words=full_words(terms(consent(1)))))
            await rig.store.write(lambda db: revocations.add_chain_bits(db, ADA, {SCOPE: 1}, 1.0))
        made = 0
        monkeypatch.setattr(keys_module, "sha256", counted)
        steps, found = steps_of_news(rig, after)
        monkeypatch.undo()
        seen.append((steps, made, len(found.joined), len(found.named), len(found.withdrawn)))
    assert seen[0] == seen[1]
    assert seen[0][1:] == (7, 7 * 32, 3, 0)


async def test_a_snapshot_has_what_the_deltas_had(tmp_path: Path) -> None:
    rig, after = await grown(tmp_path, 50)
    with rig:
        await rig.give(
            consent(2), revocation("everything"), consent(3, contributor=CLEO, parties=(CLEO,))
        )
    with snapshot_at(rig.store.location) as db:
        found = news.read_news(db, after, NETWORK, LATER, ())
        joined, crowded = whole.read_keys(db)
        names = set(whole.read_names(db, crowded, LATER))
    keys = {bytes(joined[at : at + 32]) for at in range(0, len(joined), 32)}
    assert len(keys) == len(joined) // 32  # each once
    assert {found.joined[at : at + 32] for at in range(0, len(found.joined), 32)} <= keys
    assert set(found.named) <= names
    assert len(names) == 2 * 50 + 50 + 3 + 3  # licenses, people; Ada, Ben and Cleo; theirs


@pytest.mark.parametrize(("word", "most"), [(0, PERMISSION_KEYS), (SCOPE, SCOPE_KEYS)])
def test_an_address_has_so_many_keys_or_none(word: int, most: int) -> None:
    """A limit for permissions, and one for scopes; what is over one of them takes all."""
    keys = AddressKeys(ADA)
    keys.add(64 if word else SCOPE, 1, 3 if word else 1)
    for number in range(most):
        keys.add(word + 64 * number, 1, 1 if word else 3)
    first = len(keys.joined())
    assert (keys.is_crowded, first) == (False, 32 * (most + 3))
    for _ in range(2):
        keys.add(word + 64 * most, 1, 1 if word else 3)
        assert (keys.is_crowded, keys.joined()) == (True, b"")


@pytest.mark.parametrize(
    ("here", "follows"),
    [
        (news.Cursor("a", 1, 2, 3, 4, 4), True),
        (news.Cursor("a", 9, 9, 9, 9, 9), True),
        (news.Cursor("b", 9, 9, 9, 9, 9), False),  # another store, or one that was emptied
        (news.Cursor("a", 9, 9, 2, 9, 9), False),  # of before: it was put back from a copy
    ],
)
def test_a_delta_continues_one_store_only(here: news.Cursor, follows: bool) -> None:
    assert here.follows(news.Cursor("a", 1, 2, 3, 4, 4)) is follows
