"""Vectors of traces: what is kept, what the chain says, and what follows (section 15)."""

from collections.abc import Sequence
from typing import Any

from sayso_protocol.limits import LIMITS
from sayso_protocol.messages.envelope import Envelope, encode
from sayso_protocol.messages.message import as_kind
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.messages.statements.dispute import CONTRIBUTORS, contributor_hash
from sayso_protocol.permissions.scopes import Scope, file_subject, to_subject
from sayso_protocol.permissions.words import Masks
from sayso_protocol.primitives import ANYONE, address_text, hex_text
from support.holders import END, LABS, T, dispute, removal, stated, sublicense, use
from support.protocol_strategies import ADA, BEN, CLEO, NODE, a_consent, item_hashes, signed
from support.tracing import DAY_S, Anchored, Bit, Chain, Tracing

Json = dict[str, Any]
Told = Sequence[Envelope]
DAN, EVE, FAY, *_ = LABS
ALL = ("evaluate", "resale", "train-ai")


def consent(number: int, **changes: Any) -> Envelope:
    """A license of two files, by default by Ada to Ben, with Cleo as guardian."""
    items = item_hashes(2, number)
    values = {"purposes": ALL, "via": "", "guardian": CLEO} | changes
    return signed(a_consent(items, **values), items).sponsored_by(NODE)


def revocation(*scopes: str, contributor: bytes = ADA, words: Masks | None = None) -> Envelope:
    """A signed revocation."""
    masks = words or {}
    message = Revocation(contributor, scopes, tuple(masks), tuple(masks.values()))
    return stated(message, (), is_sponsored=False)


SOLD = consent(1)  # by Ada to Ben
NAME, ITEMS = SOLD.digest, SOLD.items
QUICK = consent(1, removal_days=1)
OPEN = consent(1, grantee=ANYONE, guardian=bytes(20))
OTHER = consent(2, grantee=CLEO)
TO_DAN = sublicense(BEN, DAN, [NAME], purposes=("resale", "train-ai"))
TO_EVE = sublicense(DAN, EVE, [NAME], TO_DAN.digest)
SEVERAL = [sublicense(BEN, DAN, [NAME], expires_at=END - at) for at in range(1, 17)]
LAST = sublicense(BEN, DAN, [NAME], purposes=("evaluate",), expires_at=END - 17)  # displaced
STOP = revocation("everything")
CHAIN = [SOLD, TO_DAN, TO_EVE]
PERIOD_S = 30 * DAY_S
FINAL = 40


def at(block: int) -> int:
    """The time of a block."""
    return 1_750_000_000 + 12 * block


TIMES = {block: at(block) for block in range(FINAL + 3)}


def events(block: int, *some: Envelope) -> list[Bit]:
    """The registry sets the bits of revocations."""
    return [
        Bit(block, message.contributor, word, mask)
        for message in (as_kind(one.message, Revocation) for one in some)
        for word, mask in message.bits.items()
    ]


def batch(block: int, *some: Envelope) -> Anchored:
    """A block anchors messages."""
    return Anchored(block, tuple(one.digest for one in some))


def chain(*said: list[Bit] | Anchored, **changes: Any) -> Chain:
    """What blocks say, up to the final one and two more."""
    bits = [bit for one in said if isinstance(one, list) for bit in one]
    batches = [one for one in said if isinstance(one, Anchored)]
    values: dict[str, Any] = {"events": bits, "batches": batches, "times": TIMES, "final": FINAL}
    return Chain(**(values | changes))


def _withdrawn(signer: bytes, one: Envelope) -> Envelope:
    return revocation(f"statement {hex_text(one.digest)}", contributor=signer)


def _holders() -> dict[str, tuple[Told, Chain]]:
    """Who holds a license, and what they stated."""
    said = [use(BEN, [NAME]), use(DAN, [TO_DAN.digest], "a"), use(EVE, [TO_EVE.digest], "b")]
    theirs = use(EVE, [TO_DAN.digest], "c")  # what Dan holds
    taken = use(DAN, [NAME], "d")
    late = sublicense(BEN, DAN, [NAME], issued_at=END - 2, expires_at=END - 1)
    beyond = [use(DAN, [LAST.digest], "e"), use(DAN, [SEVERAL[0].digest], "f")]
    fifth = [*CHAIN]
    for signer, grantee in ((EVE, FAY), (FAY, LABS[3]), (LABS[3], LABS[4])):
        fifth.append(sublicense(signer, grantee, [NAME], fifth[-1].digest, purposes=("resale",)))
    return {
        "nobody but the grantee": ([SOLD], chain()),
        "nobody": ([OPEN], chain()),
        "two hops": (CHAIN, chain()),
        "a fifth hop": (fifth, chain()),
        "a parent that nobody heard of": ([SOLD, TO_EVE], chain()),
        "a stranger passes on": ([SOLD, sublicense(FAY, DAN, [NAME])], chain()),
        "withdrawn, not in force, and again": (
            [SOLD, TO_DAN, late, _withdrawn(BEN, TO_DAN)], chain(),
        ),
        "all to one grantee withdrawn": (
            [*CHAIN, revocation(f"statements {to_subject(DAN)}", contributor=BEN)], chain(),
        ),
        "uses": ([*CHAIN, *said], chain()),
        "a use by a stranger": ([*CHAIN, use(FAY, [NAME])], chain()),
        "a use of what another holds": ([*CHAIN, theirs], chain()),
        "a withdrawn use": ([*CHAIN, taken, _withdrawn(DAN, taken)], chain()),
        "a use, withdrawn by another": ([*CHAIN, taken, _withdrawn(BEN, taken)], chain()),
        "a use by the grantee of another license": (
            [SOLD, OTHER, use(CLEO, [NAME, OTHER.digest])], chain(),
        ),
        "a use of a displaced sublicense": ([SOLD, *SEVERAL, LAST, *beyond], chain()),
    }  # fmt: skip


def _landings() -> dict[str, tuple[Told, Chain]]:
    """Since when something is revoked."""
    bit = revocation(words=SOLD.message.masks([1], ["train-ai"]))  # type: ignore[attr-defined]
    file = revocation(file_subject(ITEMS[0]))
    first = revocation("everything for train-ai")
    return {
        "by an event": ([*CHAIN, STOP], chain(events(5, STOP))),
        "by an event alone": (CHAIN, chain(events(5, STOP))),
        "by no block": ([*CHAIN, STOP], chain()),
        "by an event that is not final": ([*CHAIN, STOP], chain(events(FINAL + 1, STOP))),
        "by an event of the last final block": ([*CHAIN, STOP], chain(events(FINAL, STOP))),
        "before a block is final": ([*CHAIN, STOP], chain(events(0, STOP), final=None)),
        "by a batch": ([*CHAIN, STOP], chain(batch(6, STOP))),
        "by a batch, then by an event": ([*CHAIN, STOP], chain(batch(6, STOP), events(8, STOP))),
        "by an event, then by a batch": ([*CHAIN, STOP], chain(batch(9, STOP), events(8, STOP))),
        "by two batches": ([*CHAIN, STOP], chain(batch(9, STOP), batch(7, STOP))),
        "by a batch that is not final": ([*CHAIN, STOP], chain(batch(FINAL + 1, STOP))),
        "by a batch of what nobody kept": (
            [*CHAIN, STOP], chain(batch(6, revocation("everything", "via a.example"))),
        ),
        "a part by an event, then all by a batch": (
            [*CHAIN, file, STOP], chain(events(3, file), batch(6, STOP)),
        ),
        "a permission by a batch": ([*CHAIN, bit], chain(batch(6, bit))),
        "an event that says a part": (
            [*CHAIN, STOP], chain(events(5, first), events(9, STOP)),
        ),
        "a part at a time": (
            [*CHAIN, STOP], chain(events(5, bit), events(7, file), events(9, STOP)),
        ),
        "a part, and the rest by no block": ([*CHAIN, STOP], chain(events(5, bit))),
        **_landings_for_some(),
    }  # fmt: skip


def _landings_for_some() -> dict[str, tuple[Told, Chain]]:
    """For whom something is revoked."""
    resale = revocation("everything for resale")
    to_dan = revocation(to_subject(DAN))
    warded = Scope(to_subject(EVE), "train-ai", ADA).text
    guarded = revocation(warded, contributor=CLEO)
    in_vain = revocation(Scope("everything", None, ADA).text, contributor=FAY)
    narrow = sublicense(BEN, FAY, [NAME], purposes=("evaluate",))
    two = [narrow, sublicense(BEN, FAY, [NAME])]
    return {
        "resale alone": ([*CHAIN, resale], chain(events(5, resale))),
        "one holder alone": ([*CHAIN, to_dan], chain(events(5, to_dan))),
        "one holder, by the guardian": ([*CHAIN, guarded], chain(events(5, guarded))),
        "by a guardian of nobody": ([*CHAIN, in_vain], chain(events(5, in_vain))),
        "by another contributor": (
            CHAIN, chain(events(5, revocation("everything", contributor=BEN))),
        ),
        "for what was passed on": ([SOLD, narrow, STOP], chain(events(5, STOP))),
        "for what was passed on twice": ([SOLD, *two, STOP], chain(events(5, STOP))),
        "for what a displaced one passed on": (
            [SOLD, *SEVERAL, LAST, STOP], chain(events(5, STOP)),
        ),
        "withdrawing obliges nobody": (
            [*CHAIN, _withdrawn(BEN, TO_DAN)], chain(events(5, _withdrawn(BEN, TO_DAN))),
        ),
    }  # fmt: skip


def _removals() -> dict[str, tuple[Told, Chain]]:
    """Whether a removal confirms."""
    landed, told = events(5, STOP), [*CHAIN, STOP]
    gone, down = removal(BEN, [NAME], 7), removal(DAN, [TO_DAN.digest], 7)
    tenth = removal(BEN, [NAME], 10)
    again = [removal(BEN, [NAME], as_of) for as_of in (8, 9, 10)]
    again.sort(key=lambda one: one.digest, reverse=True)
    theirs = removal(EVE, [TO_DAN.digest], 7)
    strange = removal(FAY, [NAME], 7)
    displaced = [removal(DAN, [one.digest], 7) for one in (LAST, SEVERAL[15])]
    parts = [revocation("everything for train-ai"), STOP]
    return {
        **_bounds(told, landed),
        "of what no block revoked": ([*told, gone], chain(batch(9, gone))),
        "not anchored": ([*told, gone], chain(landed)),
        "anchored twice": ([*told, tenth], chain(landed, batch(12, tenth), batch(8, tenth))),
        "anchored twice, first where it counts": (
            [*told, tenth], chain(landed, batch(12, tenth), batch(11, tenth)),
        ),
        "of what was passed on": ([*told, down], chain(landed, batch(9, down))),
        "of what another holds": ([*told, theirs], chain(landed, batch(9, theirs))),
        "by a stranger": ([*told, strange], chain(landed, batch(9, strange))),
        "withdrawn": ([*told, gone, _withdrawn(BEN, gone)], chain(landed, batch(9, gone))),
        "withdrawn by another": (
            [*told, gone, _withdrawn(DAN, gone)], chain(landed, batch(9, gone)),
        ),
        "of displaced ones": (
            [SOLD, *SEVERAL, LAST, STOP, displaced[0]], chain(landed, batch(9, displaced[0])),
        ),
        "of the last one that counts": (
            [SOLD, *SEVERAL, LAST, STOP, displaced[1]], chain(landed, batch(9, displaced[1])),
        ),
        "of several, the first anchored": (
            [*told, *again],
            chain(landed, batch(30, again[0]), batch(20, again[1]), batch(25, again[2])),
        ),
        "of several in one block": ([*told, *again], chain(landed, batch(20, *again))),
        "one for two landings": (
            [*told, gone], chain(events(5, parts[0]), events(7, STOP), batch(9, gone)),
        ),
        "between two landings": (
            [*told, gone], chain(events(5, parts[0]), events(8, STOP), batch(9, gone)),
        ),
        **_many(told, landed),
    }  # fmt: skip


def _bounds(told: Told, landed: list[Bit]) -> dict[str, tuple[Told, Chain]]:
    """As of which block, and in which block, a removal confirms."""
    found: dict[str, tuple[Told, Chain]] = {}
    for as_of, anchored in ((4, 9), (5, 9), (9, 9), (10, 9), (5, 5), (7, FINAL), (7, FINAL + 1)):
        one = removal(BEN, [NAME], as_of)
        name = f"as of block {as_of}, anchored at {anchored}"
        found[name] = [*told, one], chain(landed, batch(anchored, one))
    return found


def _dates() -> dict[str, tuple[Told, Chain]]:
    """What is due, and what is late."""
    landed, told, gone = events(5, STOP), [*CHAIN, STOP], removal(BEN, [NAME], 7)
    late = TIMES | {FINAL: at(5) + PERIOD_S + 1}
    return {
        "due": (told, chain(landed, times=TIMES | {FINAL: at(5) + PERIOD_S})),
        "late": (told, chain(landed, times=late)),
        "late, with a short period": (
            [QUICK, STOP], chain(landed, times=TIMES | {FINAL: at(5) + DAY_S + 1}),
        ),
        "late, and confirmed": ([*told, gone], chain(landed, batch(9, gone), times=late)),
        "a landing without time": (told, chain(landed, times=_but(late, 5))),
        "a present without time": (told, chain(landed, times=_but(late, FINAL))),
        "a confirmation without time": (
            [*told, gone], chain(landed, batch(9, gone), times=_but(late, 9)),
        ),
        "confirmed, without the time of the landing": (
            [*told, gone], chain(landed, batch(9, gone), times=_but(late, 5)),
        ),
    }  # fmt: skip


def _but(times: dict[int, int], block: int) -> dict[int, int]:
    return {number: time for number, time in times.items() if number != block}


def _many(told: Told, landed: list[Bit]) -> dict[str, tuple[Told, Chain]]:
    """256 removals are judged: those of the license come first, and of these the smallest digests."""
    right = max((removal(DAN, [NAME], as_of) for as_of in range(5, 10)), key=lambda one: one.digest)
    some = (removal(DAN, [NAME], as_of) for as_of in range(60, 500))
    wrong = [one for one in some if one.digest < right.digest][:256]
    below = removal(DAN, [TO_DAN.digest], 7)
    said = {
        "the 256th removal": [*wrong[:255], right],
        "the 257th removal": [*wrong, right],
        "the 256th removal, of what was passed on": [*wrong[:255], below],
        "the 257th removal, of what was passed on": [*wrong, below],
    }
    assert len(wrong) == LIMITS.traced_removals
    return {name: ([*told, *one], chain(landed, batch(9, *one))) for name, one in said.items()}


def _disputes() -> dict[str, tuple[Told, Chain]]:
    """Which disputes are about a license."""
    file, party = dispute(CLEO, ITEMS[:1]), dispute(CLEO, [contributor_hash(ADA)], CONTRIBUTORS)
    pair = tuple(sorted((ADA, BEN)))
    call = consent(1, parties=pair)
    return {
        "a file disputed": ([SOLD, file], chain()),
        "both files disputed": ([SOLD, dispute(CLEO, ITEMS)], chain()),
        "the contributor disputed": ([SOLD, party], chain()),
        "another party disputed": (
            [call, dispute(CLEO, [contributor_hash(BEN)], CONTRIBUTORS)], chain(),
        ),
        "somebody else disputed": (
            [SOLD, dispute(CLEO, [contributor_hash(BEN)], CONTRIBUTORS)], chain(),
        ),
        "a file that looks like the contributor": (
            [SOLD, dispute(CLEO, [contributor_hash(ADA)])], chain(),
        ),
        "another file disputed": ([SOLD, dispute(CLEO, OTHER.items)], chain()),
        "65 disputes": (
            [SOLD, *(dispute(CLEO, ITEMS[:1], issued_at=T + number) for number in range(65))], chain(),
        ),
        "disputed and withdrawn": ([SOLD, file, party, _withdrawn(CLEO, file)], chain()),
        "all disputes withdrawn": (
            [SOLD, file, party, revocation("statements", contributor=CLEO)], chain(),
        ),
    }  # fmt: skip


def cases() -> dict[str, tuple[Told, Chain]]:
    """By name: the kept messages, the license first among the consents; and the chain."""
    return _holders() | _landings() | _removals() | _dates() | _disputes()


def traces() -> Json:
    """All messages, and for each case those that are kept, the chain, and the trace."""
    told = {one.digest: one for some, _ in cases().values() for one in some}
    places = {digest: place for place, digest in enumerate(told)}
    return {
        "envelopes": [hex_text(encode(one)) for one in told.values()],
        "traces": [_case(name, places, *one) for name, one in cases().items()],
    }


def _case(name: str, places: dict[bytes, int], told: Told, said: Chain) -> Json:
    used = sorted(
        {one.block for one in said.events} | {one.block for one in said.batches} | {said.final or 0}
    )
    traced = Tracing(told, said, told[0].digest)
    return {
        "name": name,
        "kept": [places[one.digest] for one in told],
        "events": [
            {
                "block": one.block,
                "contributor": address_text(one.contributor),
                "word": hex_text(one.word.to_bytes(32)),
                "bits": hex_text(one.mask.to_bytes(32)),
            }
            for one in said.events
        ],
        "batches": [
            {"block": one.block, "digests": [*map(hex_text, one.digests)]} for one in said.batches
        ],
        "times": {str(one): said.times[one] for one in used if one in said.times},
        "final": said.final,
        "license": hex_text(told[0].digest),
        "holders": traced.holders(),
        "disputes": traced.disputes(),
    }
