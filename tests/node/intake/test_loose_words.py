"""Rules 7.12.8 and 7.12.9 under attack: words that match nothing are bounded, and cost their signer."""

import pytest

from sayso_node.intake.outcome import Status
from sayso_node.store.admission import loose_words
from sayso_protocol.permissions.scopes import agreement_subject, scope_word
from sayso_protocol.primitives import hex_text, sha256
from sayso_protocol.verdicts.verdict import Reason
from support.judging import consent_of, reason
from support.node_rig import NodeRig, revocation
from support.protocol_strategies import ADA, BEN, CLEO, full_words

ROOM = 8
STORED, PENDING = Status.STORED, Status.PENDING


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    assert loose_words.LOOSE_WORDS == 4_096
    monkeypatch.setattr(loose_words, "LOOSE_WORDS", ROOM)


def words_of(rig: NodeRig, address: bytes = ADA) -> int:
    """How many words of somebody a node keeps."""
    with rig.store.read() as db:
        query = "SELECT count(*) FROM bits WHERE address = ?"
        return int(db.execute(query, (address,)).fetchone()[0])


async def status(rig: NodeRig, *scopes: str, by: bytes = ADA, **words: dict[int, int]) -> Status:
    [outcome] = await rig.give(revocation(*scopes, contributor=by, **words))
    return outcome.status


async def filled(rig: NodeRig) -> None:
    """Ada's room is full, by scopes that cover nothing held."""
    for number in range(ROOM):
        assert await status(rig, f"via market{number}.example") is STORED


LOOSE = {
    "a file": "file 0x" + "11" * 32,
    "an agreement": "agreement 0x" + "11" * 32,
    "a company": "to 0x" + "11" * 20,
    "a marketplace": "via other.example",
    "a purpose": "everything for zoology",
    "a ward": f"ward 0x{CLEO.hex()} everything",
    "statements": "statements to 0x" + "11" * 20,
    "a later grammar": "everything but cats",
}


@pytest.mark.parametrize("name", LOOSE)
async def test_beyond_the_room_it_waits_and_only_its_signer_is_in_doubt(rig: NodeRig, name: str) -> None:
    mine, others = consent_of(ADA), consent_of(BEN, 2)
    await rig.give(mine, others)
    await filled(rig)
    assert reason(rig, mine) is Reason.GRANTED
    for _ in range(2):
        assert await status(rig, LOOSE[name]) is PENDING
    assert words_of(rig) == ROOM
    assert (reason(rig, mine), reason(rig, others)) == (Reason.STALE, Reason.GRANTED)


async def test_a_flood_of_scopes_leaves_no_more_than_the_room(rig: NodeRig) -> None:
    held = consent_of(ADA)
    await rig.give(held)
    for number in range(10):
        scopes = [f"file {hex_text(sha256(b'%d/%d' % (number, at)))}" for at in range(16)]
        await rig.give(revocation(*scopes))
    assert words_of(rig) <= ROOM


@pytest.mark.parametrize("beside", ["everything", "its word", "its file", "words alone"])
async def test_nothing_smuggles_words_in(rig: NodeRig, beside: str) -> None:
    """What covers something, and what is known already, carries no other words past the bound."""
    held = consent_of(ADA)
    await rig.give(held)
    word = {next(iter(full_words(held.message))): 1}
    scopes = {"everything": ["everything"], "its file": [f"file {hex_text(held.items[0])}"]}
    for number in range(10):
        loose = [f"via m{number}x{at}.example" for at in range(9)]
        words = word if beside == "its word" else {}
        if beside == "words alone":
            loose, words = [], word | {64 * (1_000 * number + at): 1 for at in range(60)}
        await rig.give(revocation(*scopes.get(beside, []), *loose, words=words))
    assert words_of(rig) <= ROOM + 1
    assert reason(rig, held) in {Reason.REVOKED, Reason.STALE}


async def test_what_covers_something_held_is_kept_without_end(rig: NodeRig) -> None:
    held, guarded = consent_of(ADA, 1), consent_of(BEN, 2, guardian=ADA)
    await rig.give(held, guarded)
    await filled(rig)
    agreement = agreement_subject(held.message.agreement)  # type: ignore[attr-defined]
    theirs = agreement_subject(guarded.message.agreement)  # type: ignore[attr-defined]
    covering = [
        *(f"file {hex_text(item)}{only}" for item in held.items for only in ("", " for train-ai")),
        agreement,
        f"{agreement} for train-ai",
        f"ward 0x{BEN.hex()} file {hex_text(guarded.items[0])}",
        f"ward 0x{BEN.hex()} {theirs} for train-ai",
        "everything",
    ]
    for scope in covering:
        assert await status(rig, scope) is STORED, scope
    assert words_of(rig) == ROOM + len(covering)
    near = bytearray(held.message.agreement)  # type: ignore[attr-defined]
    near[-1] ^= 1  # another agreement with the same first word
    for scope in (
        agreement_subject(bytes(near)),
        f"{agreement} for zoology",
        f"file {hex_text(held.items[0])} for zoology",
        f"ward 0x{BEN.hex()} file {hex_text(held.items[0])}",
        f"ward 0x{CLEO.hex()} {theirs}",
    ):
        assert await status(rig, scope) is PENDING, scope
    assert (reason(rig, held), reason(rig, guarded)) == (Reason.REVOKED, Reason.REVOKED)


async def test_what_waited_for_its_consent_is_kept_when_that_comes(rig: NodeRig) -> None:
    hidden = consent_of(ADA, 3)
    await rig.give(consent_of(ADA))
    await filled(rig)
    assert await status(rig, f"file {hex_text(hidden.items[0])}") is PENDING
    await rig.give(hidden)
    assert scope_word(f"file {hex_text(hidden.items[0])}") in words_known(rig)
    assert reason(rig, hidden) is Reason.REVOKED


async def test_who_waited_before_being_known_has_no_more_room(rig: NodeRig) -> None:
    for number in range(ROOM + 4):
        assert await status(rig, f"via market{number}.example") is PENDING
    held = consent_of(ADA)
    await rig.give(held)
    assert words_of(rig) == ROOM
    assert reason(rig, held) is Reason.STALE


async def test_a_stranger_fills_nobody_elses_room(rig: NodeRig) -> None:
    held = consent_of(ADA)
    await rig.give(held, consent_of(BEN, 2))
    for number in range(3 * ROOM):
        await rig.give(revocation(f"ward 0x{ADA.hex()} via m{number}.example", contributor=BEN))
    assert words_of(rig, BEN) == ROOM
    assert await status(rig, "via market.example") is STORED
    assert reason(rig, held) is Reason.GRANTED


async def test_many_claims_on_a_file_do_not_slow_a_look_at_it(
    rig: NodeRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only some claims are looked at; behind them, a scope takes room although it covers something."""
    monkeypatch.setattr(loose_words, "_CLAIMS", 2)
    first = [consent_of(BEN, 1, via=f"m{number}.example") for number in range(2)]
    mine = consent_of(ADA, 1)
    await rig.give(*first, mine)
    await filled(rig)
    assert await status(rig, f"file {hex_text(mine.items[0])}") is PENDING
    assert reason(rig, mine) is Reason.STALE  # never granted


async def test_many_consents_on_a_file_are_not_all_read(
    rig: NodeRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody signs many large consents on one file, and scopes of it that match none of them."""
    await rig.give(*(consent_of(ADA, 1, via=f"m{number}.example") for number in range(30)))
    await filled(rig)
    read = list[bytes]()
    decode = loose_words._decode

    def noted(body: bytes) -> object:
        read.append(body)
        return decode(body)

    monkeypatch.setattr(loose_words, "_decode", noted)
    file = f"file {hex_text(consent_of(ADA, 1).items[0])}"
    assert await status(rig, *(f"{file} for x{number}" for number in range(16))) is PENDING
    assert 0 < len(read) <= 3 * (1 + 16 * loose_words._CONSENTS)  # three times, as it is looked at


def words_known(rig: NodeRig) -> set[int]:
    with rig.store.read() as db:
        rows = db.execute("SELECT word FROM bits WHERE address = ?", (ADA,)).fetchall()
    return {int.from_bytes(word) for (word,) in rows}
