"""The verdict over random histories: the promises that hold whatever happens, and a slow oracle.

The oracle knows no bits and no state: it asks of every message whether its words, read as a person
reads them, speak of the row.
"""

from dataclasses import replace
from functools import cache

from eth_abi.abi import encode
from eth_utils.crypto import keccak
from hypothesis import given
from hypothesis import strategies as st

from sayso_protocol.messages.consent import Consent
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.verdicts.query import Query
from sayso_protocol.verdicts.verdict import License, Reason, is_revoked, verdict
from support.histories import STRANGER, Message, Question, consents, histories, questions, revocations
from support.known import Known, license_hash


def answers(history: list[Message], asked: list[Question]) -> list[Reason]:
    known = Known(history)
    return [verdict(known, *question) for question in asked]


# --- the oracle ------------------------------------------------------------------------------------


def names(sentence: str, consent: Consent, item: bytes, query: Query) -> bool:
    """Whether a sentence without ward covers the permission, read word by word."""
    subject, *narrowed = sentence.split(" for ")
    if narrowed and narrowed != [query.purpose]:
        return False
    kind, *rest = subject.split(" ")
    people = {"0x" + one.hex() for one in (consent.grantee, query.grantee) if any(one)}
    terms = (consent.grantee, consent.via, consent.content, consent.purposes)
    return (
        kind == "everything"
        or (kind == "agreement" and rest == ["0x" + agreement_of(*terms).hex()])
        or (kind == "via" and rest == [consent.via])
        or (kind == "file" and rest == ["0x" + item.hex()])
        or (kind == "to" and {*rest} <= people)
    )


@cache
def agreement_of(grantee: bytes, via: str, content: bytes, purposes: tuple[str, ...]) -> bytes:
    """By eth_abi (rule 5.5)."""
    terms = [grantee, via, content, purposes]
    return keccak(encode(["address", "string", "bytes32", "string[]"], terms))


def bit_of(held: License, item: bytes, purpose: str) -> tuple[int, int] | None:
    """Word and bit of a permission."""
    consent = held.consent
    if purpose not in consent.purposes:
        return None
    agreement = agreement_of(consent.grantee, consent.via, consent.content, consent.purposes)
    base = int(agreement.hex(), 16) % 2**247 // 64 * 64
    number = held.items.index(item) * len(consent.purposes) + consent.purposes.index(purpose)
    return base + number // 256, number % 256


def stops(message: Revocation, held: License, item: bytes, query: Query) -> bool:
    """Whether this message takes this permission back."""
    consent = held.consent
    if message.contributor == consent.contributor:
        if any(names(sentence, consent, item, query) for sentence in message.scopes):
            return True
        place = bit_of(held, item, query.purpose)
        for word, mask in zip(message.words, message.masks, strict=True):
            if place and place[0] == word and mask >> place[1] & 1:
                return True
    if message.contributor != consent.guardian:
        return False
    prefix = f"ward 0x{consent.contributor.hex()} "
    wards = [one.removeprefix(prefix) for one in message.scopes if one.startswith(prefix)]
    return any(names(sentence, consent, item, query) for sentence in wards)


def stopped(history: list[Message], held: License, item: bytes, query: Query) -> bool:
    return any(stops(one, held, item, query) for one in history if isinstance(one, Revocation))


def on_its_terms(consent: Consent, query: Query, now: int) -> Reason:
    if now < consent.issued_at:
        return Reason.NOT_YET_VALID
    if consent.expires_at <= now:
        return Reason.EXPIRED
    if consent.grantee not in {bytes(20), query.grantee}:
        return Reason.OTHER_GRANTEE
    return Reason.GRANTED if query.purpose in consent.purposes else Reason.PURPOSE_NOT_GRANTED


def oracle(history: list[Message], question: Question) -> Reason:
    (wanted, item), query, now = question
    licenses = [one for one in history if isinstance(one, License)]
    held = next((one for one in licenses if license_hash(one.consent) == wanted), None)
    if held is None or item not in held.items:
        return Reason.UNKNOWN
    if stopped(history, held, item, query):
        return Reason.REVOKED
    if (reason := on_its_terms(held.consent, query, now)) is not Reason.GRANTED:
        return reason
    for party in sorted(set(held.consent.parties) - {held.consent.contributor}):
        theirs = [
            one
            for one in licenses
            if one.consent.contributor == party
            and one.consent.parties == held.consent.parties
            and item in one.items
            and on_its_terms(one.consent, query, now) is Reason.GRANTED
        ]
        if not theirs:
            return Reason.INCOMPLETE
        if all(stopped(history, one, item, query) for one in theirs):
            return Reason.REVOKED
    return Reason.GRANTED


# --- the promises ----------------------------------------------------------------------------------


@given(histories())
def test_the_slow_oracle_agrees(history: list[Message]) -> None:
    asked = questions(history)
    assert answers(history, asked) == [oracle(history, question) for question in asked]


@given(histories(), st.data())
def test_hearing_a_revocation_makes_nothing_clear(history: list[Message], data: st.DataObject) -> None:
    held = [one for one in history if isinstance(one, License)]
    later = data.draw(revocations(held))
    asked = questions(history)
    before, after = answers(history, asked), answers([*history, later], asked)
    for old, new in zip(before, after, strict=True):
        assert new is not Reason.GRANTED or old is Reason.GRANTED
        assert old is not Reason.REVOKED or new is Reason.REVOKED


@given(histories(), consents())
def test_hearing_a_consent_gives_back_nothing_that_was_revoked(
    history: list[Message], later: License
) -> None:
    known, asked = Known(history), questions(history)
    revoked = [
        question
        for question in asked
        if (held := known.license(question.row.license))
        and question.row.item in held.items
        and is_revoked(known, held, question.row.item, question.query)
    ]
    assert set(answers([*history, later], revoked)) <= {Reason.REVOKED}


@given(histories(), st.data())
def test_order_and_repeats_do_not_matter(history: list[Message], data: st.DataObject) -> None:
    repeats = data.draw(st.lists(st.sampled_from(history), max_size=4))
    again = data.draw(st.permutations([*history, *repeats]))
    asked = questions(history)
    assert answers(again, asked) == answers(history, asked)


@given(histories(), st.lists(consents(), max_size=2), st.data())
def test_strangers_neither_clear_nor_block(
    history: list[Message], theirs: list[License], data: st.DataObject
) -> None:
    mine = [
        one
        for one in history
        if (one.consent.contributor if isinstance(one, License) else one.contributor) != STRANGER
    ]
    strange: list[Message] = [
        License(replace(one.consent, contributor=STRANGER, parties=(STRANGER,)), one.items)
        for one in theirs
    ]
    stop = data.draw(revocations([one for one in mine if isinstance(one, License)]))
    strange.append(replace(stop, contributor=STRANGER))
    asked = questions(mine)
    assert answers([*mine, *strange], asked) == answers(mine, asked)


@given(histories())
def test_stale_is_not_for_the_rules_to_say(history: list[Message]) -> None:
    assert Reason.STALE not in answers(history, questions(history))
