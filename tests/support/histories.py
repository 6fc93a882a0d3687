"""Random histories of messages in a small world, and everything that can be asked about them."""

from typing import NamedTuple

from hypothesis import strategies as st

from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.verdicts.query import Query
from sayso_protocol.verdicts.verdict import License, Row
from support.known import license_hash
from support.protocol_strategies import ADA, BEN, a_consent, full_words, item_hashes

# A small world, so that random messages meet.
ITEMS = item_hashes(3)
PURPOSES = ("evaluate", "train-ai")
DOMAINS = ("", "kled.ai", "neon.example")
BUYERS = (b"\x01" * 20, b"\x02" * 20)
GUARDIAN, STRANGER = b"\x03" * 20, b"\x04" * 20
PEOPLE = (ADA, BEN, GUARDIAN, STRANGER)
PAIR = tuple(sorted([ADA, BEN]))
BASE = 1_700_000_000
Message = License | Revocation


class Question(NamedTuple):
    row: Row
    query: Query
    now: int


@st.composite
def consents(draw: st.DrawFn) -> License:
    contributor = draw(st.sampled_from([ADA, BEN, STRANGER]))
    items = draw(st.sampled_from([ITEMS[:1], ITEMS[:2], ITEMS, ITEMS[::-1]]))
    together = contributor in PAIR and draw(st.booleans())
    begins = draw(st.sampled_from([0, 50]))
    consent = a_consent(
        items,
        contributor=contributor,
        parties=PAIR if together else (contributor,),
        grantee=draw(st.sampled_from([*BUYERS, bytes(20)])),
        via=draw(st.sampled_from(DOMAINS)),
        purposes=draw(st.sampled_from([PURPOSES[:1], PURPOSES[1:], PURPOSES])),
        guardian=draw(st.sampled_from([bytes(20), GUARDIAN, BEN])),
        issued_at=BASE + begins,
        expires_at=BASE + draw(st.sampled_from([100, 200])),
    )
    return License(consent, items)


subjects = st.sampled_from(
    [
        "everything",
        *(f"via {domain}" for domain in DOMAINS if domain),
        *(f"file 0x{item.hex()}" for item in ITEMS),
        *(f"to 0x{buyer.hex()}" for buyer in BUYERS),
    ]
)


def sentences_about(subjects: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Scopes of these subjects, with and without a ward and a purpose."""
    return st.builds(
        "{}{}{}".format,
        st.sampled_from(["", f"ward 0x{ADA.hex()} ", f"ward 0x{BEN.hex()} "]),
        subjects,
        st.sampled_from(["", *(f" for {purpose}" for purpose in PURPOSES)]),
    )


sentences = sentences_about(subjects)


@st.composite
def revocations(draw: st.DrawFn, held: list[License]) -> Revocation:
    """Sentences, an agreement, permission bits of one of the licenses, or all of them; by anybody."""
    if not held or draw(st.booleans()):
        agreements = [f"agreement 0x{one.consent.agreement.hex()}" for one in held]
        about = sentences | sentences_about(st.sampled_from(agreements)) if held else sentences
        scopes = draw(st.lists(about, min_size=1, max_size=2))
        return Revocation(draw(st.sampled_from(PEOPLE)), tuple(scopes))
    consent = draw(st.sampled_from(held)).consent
    items = draw(st.sets(st.integers(0, consent.items - 1), min_size=1))
    some = consent.masks(sorted(items), [draw(st.sampled_from(consent.purposes))])
    masks = draw(st.sampled_from([some, full_words(consent)]))
    by = draw(st.sampled_from([consent.contributor, consent.contributor, *PEOPLE]))
    return Revocation(by, (), tuple(masks), tuple(masks.values()))


@st.composite
def histories(draw: st.DrawFn) -> list[Message]:
    held = draw(st.lists(consents(), min_size=1, max_size=6))
    stops = draw(st.lists(revocations(held), max_size=3))
    return draw(st.permutations([*held, *stops]))


def questions(history: list[Message]) -> list[Question]:
    """Everything that can be asked about a history."""
    consents = {one.consent for one in history if isinstance(one, License)}
    return [
        Question(Row(license_hash(consent), item), Query(buyer, purpose), BASE + now)
        for consent in consents
        for item in ITEMS
        for buyer in BUYERS
        for purpose in (*PURPOSES, "resale")
        for now in (49, 100)
    ]
