"""Random histories in which licenses are passed on, and an oracle that reads the rules word by word.

The oracle shares no code with the verdict: no bits, no chains, no caches. It asks of every message what
it says, and follows the text of rules 8.1 to 8.8 and 8.15.
"""

import itertools
from itertools import product
from typing import Any, NamedTuple

from hypothesis import strategies as st

from sayso_protocol.encoding.merkle import content_root
from sayso_protocol.messages.consent import Consent
from sayso_protocol.messages.envelope import Envelope
from sayso_protocol.messages.message import Message
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.messages.statements.dispute import CONTRIBUTORS, FILES, Dispute
from sayso_protocol.messages.statements.sublicense import NO_PARENT, Sublicense
from sayso_protocol.verdicts.query import Query
from sayso_protocol.verdicts.verdict import License, Reason, Row
from support.known import Disputing, Heard, PassingOn, license_hash, message_hash
from support.protocol_strategies import (
    ADA,
    BEN,
    NETWORK,
    NODE,
    WALLETS,
    a_consent,
    address_of,
    item_hashes,
    sign_digest,
    wallet,
)

ITEMS = item_hashes(2)
_NAMES = ("market", "reseller", "lab", "agent", "other", "guardian")
KEYS = WALLETS | {address_of(key): key for key in map(wallet, _NAMES)}
MARKET, RESELLER, LAB, AGENT, OTHER, GUARDIAN = list(KEYS)[-6:]
HOLDERS = (MARKET, RESELLER, LAB, AGENT, OTHER)
PAIR = tuple(sorted([ADA, BEN]))
ALL = ("evaluate", "resale", "train-ai")
BASE = 1_700_000_000
SOON, LATE = BASE + 100, BASE + 10_000


class Question(NamedTuple):
    row: Row
    query: Query
    now: float


def a_license(**changes: object) -> License:
    """A license of Ada to the marketplace, which may pass it on."""
    values: dict[str, object] = {
        "grantee": MARKET,
        "purposes": ALL,
        "via": "",
        "issued_at": BASE,
        "expires_at": LATE,
    }
    return License(a_consent(ITEMS, **(values | changes)), ITEMS)


def pass_on(signer: bytes, grantee: bytes, *held: License, **changes: object) -> PassingOn:
    """A sublicense of some licenses."""
    names = tuple(sorted({license_hash(one.consent) for one in held}))
    values: dict[str, object] = {
        "parent": NO_PARENT,
        "purposes": ALL,
        "terms": bytes(32),
        "terms_uri": "",
        "issued_at": BASE,
        "expires_at": LATE,
    }
    fixed = {"signer": signer, "content": content_root(names), "count": len(names), "grantee": grantee}
    return PassingOn(Sublicense(**(values | fixed | changes)), names)  # type: ignore[arg-type]


def sealed(message: Heard) -> Envelope:
    """The message as its signer sends it."""
    body: Message
    items: tuple[bytes, ...]
    match message:
        case License():
            body, items = message.consent, message.items
        case PassingOn() | Disputing():
            body, items = message.terms, message.names
        case Revocation():
            body, items = message, ()
    signature = sign_digest(KEYS[body.signer], message_hash(body))
    envelope = Envelope(body, NETWORK, signature, items)
    return envelope.sponsored_by(NODE) if items else envelope


def disputing(signer: bytes, *names: bytes, **changes: Any) -> Disputing:
    """A dispute of files, in force at BASE + 50; another subject or time by changes."""
    hashes = tuple(sorted(names))
    values: dict[str, Any] = {"subject": FILES, "code": "voice", "issued_at": BASE, "expires_at": LATE}
    terms = Dispute(signer, content_root(hashes), len(hashes), **(values | changes))
    return Disputing(terms, hashes)


def withdrawal(signer: bytes, one: Disputing) -> Revocation:
    """Somebody's withdrawal of a dispute, which is its signer's to withdraw."""
    return Revocation(signer, (f"statement 0x{message_hash(one.terms).hex()}",))


def chain_of(*holders: bytes, of: tuple[License, ...], **changes: object) -> list[PassingOn]:
    """Sublicenses from each of some holders to the next."""
    made = list[PassingOn]()
    for signer, grantee in itertools.pairwise(holders):
        parent = message_hash(made[-1].terms) if made else NO_PARENT
        made.append(pass_on(signer, grantee, *of, **({"parent": parent} | changes)))
    return made


@st.composite
def licenses(draw: st.DrawFn) -> License:
    contributor = draw(st.sampled_from([ADA, ADA, BEN]))
    return a_license(
        contributor=contributor,
        parties=PAIR if draw(st.booleans()) else (contributor,),
        grantee=draw(st.sampled_from([MARKET, MARKET, MARKET, RESELLER, bytes(20)])),
        purposes=draw(st.sampled_from([ALL, ALL, ALL, ALL[:1], ALL[1:]])),
        guardian=draw(st.sampled_from([bytes(20), GUARDIAN])),
        expires_at=draw(st.sampled_from([SOON, LATE])),
        recheck_hours=draw(st.sampled_from([1, 2, 168])),
    )


@st.composite
def sublicenses(draw: st.DrawFn, held: list[License], earlier: list[PassingOn]) -> PassingOn:
    """Often one that fits its parent, so that chains come about; sometimes any."""
    parent = draw(st.sampled_from([None, *earlier]))
    if parent and draw(st.sampled_from([True, True, True, False])):
        signer = parent.terms.grantee
    else:
        signer = draw(st.sampled_from([MARKET, MARKET, *HOLDERS]))
    some = draw(st.sampled_from([held, held, held[:1], held[-1:]]))
    return pass_on(
        signer,
        draw(st.sampled_from([one for one in HOLDERS if one != signer])),
        *some,
        parent=message_hash(parent.terms) if parent else NO_PARENT,
        purposes=draw(st.sampled_from([ALL, ALL, ALL, ALL[:2], ALL[2:]])),
        issued_at=draw(st.sampled_from([BASE, BASE, BASE + 60])),
        expires_at=draw(st.sampled_from([SOON, LATE, LATE])),
    )


@st.composite
def stops(draw: st.DrawFn, held: list[License], passed: list[PassingOn]) -> Revocation:
    """A revocation of anything in sight."""
    if draw(st.booleans()) and held:
        consent = draw(st.sampled_from(held)).consent
        masks = consent.masks([draw(st.integers(0, 1))], [draw(st.sampled_from(consent.purposes))])
        return Revocation(consent.contributor, (), tuple(masks), tuple(masks.values()))
    if draw(st.booleans()) and passed:
        one = draw(st.sampled_from(passed))
        own = (f"statement 0x{message_hash(one.terms).hex()}", "statements")
        to = f"statements to 0x{draw(st.sampled_from(HOLDERS)).hex()}"
        by = draw(st.sampled_from([one.terms.signer, one.terms.signer, *HOLDERS]))
        return Revocation(by, (draw(st.sampled_from([*own, to])),))
    people = [f"to 0x{holder.hex()}" for holder in HOLDERS]
    subject = draw(st.sampled_from(["everything", f"file 0x{ITEMS[0].hex()}", *people]))
    narrowed = draw(st.sampled_from(["", *(f" for {purpose}" for purpose in ALL)]))
    by, ward = draw(st.sampled_from([(ADA, b""), (BEN, b""), (GUARDIAN, ADA), (OTHER, ADA)]))
    return Revocation(by, (f"ward 0x{ward.hex()} {subject}{narrowed}" if ward else subject + narrowed,))


@st.composite
def histories(draw: st.DrawFn) -> list[Heard]:
    held = draw(st.lists(licenses(), min_size=1, max_size=4))
    passed = list[PassingOn]()
    for _ in range(draw(st.integers(0, 6))):
        passed.append(draw(sublicenses(held, passed)))
    against = draw(st.lists(stops(held, passed), max_size=2))
    return draw(st.permutations([*held, *passed, *against]))


def questions(history: list[Heard]) -> list[Question]:
    """Everything that can be asked about a history."""
    consents = {one.consent for one in history if isinstance(one, License)}
    return [
        Question(Row(license_hash(consent), item), Query(asker, purpose), now)
        for consent in consents
        for item in ITEMS
        for asker in HOLDERS
        for purpose in ("train-ai", "resale")
        for now in (BASE + 50, SOON)
    ]


# --- the oracle ------------------------------------------------------------------------------------


class Oracle:
    """Answers from a list of messages, slowly."""

    of_signer, of_all = 16, 256  # sublicenses that count

    def __init__(self, history: list[Heard]) -> None:
        self.licenses = {license_hash(x.consent): x for x in history if isinstance(x, License)}
        self.passed = {message_hash(x.terms): x for x in history if isinstance(x, PassingOn)}
        self.disputes = {message_hash(x.terms): x for x in history if isinstance(x, Disputing)}
        self.stops = [one for one in history if isinstance(one, Revocation)]

    def says(self, who: bytes, sentence: str) -> bool:
        return any(one.contributor == who and sentence in one.scopes for one in self.stops)

    def has_bits(self, who: bytes, word: int, mask: int) -> bool:
        said = (one for one in self.stops if one.contributor == who)
        return any(dict(zip(one.words, one.masks, strict=True)).get(word, 0) & mask for one in said)

    def takes_back(self, consent: Consent, subject: str, purpose: str) -> bool:
        """Contributor or guardian, with or without the purpose."""
        ward = f"ward 0x{consent.contributor.hex()} "
        people = [(consent.contributor, ""), (consent.guardian, ward)]
        ends = ["", f" for {purpose}"]
        return any(self.says(who, start + subject + end) for who, start in people for end in ends)

    def revoked_for(self, held: License, item: bytes, asker: bytes, purpose: str) -> bool:
        consent = held.consent
        if purpose in consent.purposes:
            [(word, mask)] = consent.masks([held.items.index(item)], [purpose]).items()
            if self.has_bits(consent.contributor, word, mask):
                return True
        subjects = ["everything", f"agreement 0x{consent.agreement.hex()}", f"file 0x{item.hex()}"]
        subjects += [f"via {consent.via}"] if consent.via else []
        subjects += [f"to 0x{one.hex()}" for one in {asker, consent.grantee} - {bytes(20)}]
        return any(self.takes_back(consent, one, purpose) for one in subjects)

    def revoked(self, held: License, item: bytes, query: Query) -> bool:
        grantee = held.consent.grantee
        twice = grantee not in (bytes(20), query.grantee)
        purposes = [query.purpose, "resale"] if twice else [query.purpose]
        return any(self.revoked_for(held, item, query.grantee, one) for one in purposes)

    def disputed(self, held: License, item: bytes, query: Query, now: float) -> bool:
        """Rule 8.18."""
        about = {FILES: {item}, CONTRIBUTORS: {bytes(12) + one for one in held.consent.parties}}
        return any(
            terms.signer in (query.heed or ())
            and terms.issued_at <= now < terms.expires_at
            and about[terms.subject] & {*names}
            and not self.says(terms.signer, "statements")
            and not self.says(terms.signer, f"statement 0x{digest.hex()}")
            for digest, (terms, names) in self.disputes.items()
        )

    def depth(self, name: bytes, digest: bytes) -> int | None:
        one = self.passed.get(digest)
        if one is None or name not in one.names:
            return None
        terms = one.terms
        if terms.parent == NO_PARENT:
            return 1 if terms.signer == self.licenses[name].consent.grantee else None
        above = self.depth(name, terms.parent)
        if above is None or self.passed[terms.parent].terms.grantee != terms.signer:
            return None
        return above + 1 if above < 4 else None

    def to(self, name: bytes, grantee: bytes) -> list[bytes]:
        """Those that meet the parent rule, in rank."""
        found = [x for x, one in self.passed.items() if one.terms.grantee == grantee]
        meet = [one for one in found if self.depth(name, one)]
        return sorted(meet, key=lambda x: (self.depth(name, x), -self.passed[x].terms.expires_at, x))

    def counts(
        self, name: bytes, digest: bytes, *, of_signer: int | None = None, of_all: int | None = None
    ) -> bool:
        of_signer, of_all = of_signer or self.of_signer, of_all or self.of_all
        ranked = self.to(name, self.passed[digest].terms.grantee)
        signers = [self.passed[one].terms.signer for one in ranked]
        first = [one for at, one in enumerate(ranked) if signers[:at].count(signers[at]) < of_signer]
        return digest in first[:of_all]

    def is_open(self, name: bytes, digest: bytes, query: Query, now: float) -> bool:
        terms, consent = self.passed[digest].terms, self.licenses[name].consent
        if not self.depth(name, digest) or not self.counts(name, digest):
            return False
        if not terms.issued_at <= now < terms.expires_at or query.purpose not in terms.purposes:
            return False
        own = (f"statement 0x{digest.hex()}", "statements", f"statements to 0x{terms.grantee.hex()}")
        if any(self.says(terms.signer, one) for one in own):
            return False
        for holder in (terms.signer, terms.grantee):
            for purpose in (query.purpose, "resale"):
                if self.takes_back(consent, f"to 0x{holder.hex()}", purpose):
                    return False
        if terms.parent == NO_PARENT:
            return {query.purpose, "resale"} <= set(consent.purposes)
        above = self.passed[terms.parent].terms
        return "resale" in above.purposes and self.is_open(name, terms.parent, query, now)

    def terms(self, name: bytes, query: Query, now: float) -> Reason:
        """Rules 8.3 to 8.6."""
        consent = self.licenses[name].consent
        if now < consent.issued_at:
            return Reason.NOT_YET_VALID
        if now >= consent.expires_at:
            return Reason.EXPIRED
        direct = consent.grantee in (bytes(20), query.grantee)
        if not direct and not self.to(name, query.grantee):
            return Reason.OTHER_GRANTEE
        if query.purpose not in consent.purposes:
            return Reason.PURPOSE_NOT_GRANTED
        some = self.to(name, query.grantee)
        if not direct and not any(self.is_open(name, one, query, now) for one in some):
            return Reason.WITHDRAWN
        return Reason.GRANTED

    def until(self, question: Question, as_of: float | None = None) -> float:
        """Rule 8.16 of a granted row, way by way, with knowledge of this moment or of an earlier one."""
        (name, item), query, now = question
        as_of = now if as_of is None else as_of
        mine = self.licenses[name].consent
        parties = []
        for party in mine.parties:
            own = [name] if party == mine.contributor else self.considered(mine, party, item, query, now)
            parties.append(
                [
                    (end, self.licenses[one].consent.recheck_hours * 3_600)
                    for one in own
                    if not self.revoked(self.licenses[one], item, query)
                    for end in self.ends(one, query, now)
                ]
            )
        return max(
            min(*(end for end, _ in way), as_of + min(recheck for _, recheck in way))
            for way in product(*parties)
        )

    def ends(self, name: bytes, query: Query, now: float) -> list[int]:
        """The least expiry of a consent, alone or with each of its open chains."""
        consent = self.licenses[name].consent
        if consent.grantee in (bytes(20), query.grantee):
            return [consent.expires_at]
        found = []
        for digest in self.to(name, query.grantee):
            if self.is_open(name, digest, query, now):
                end, at = consent.expires_at, digest
                while at != NO_PARENT:
                    end, at = min(end, self.passed[at].terms.expires_at), self.passed[at].terms.parent
                found.append(end)
        return found

    def considered(
        self, mine: Consent, party: bytes, item: bytes, query: Query, now: float
    ) -> list[bytes]:
        """The licenses of another party by rule 8.7."""
        return [
            name
            for name, one in self.licenses.items()
            if one.consent.contributor == party
            and one.consent.parties == mine.parties
            and item in one.items
            and self.terms(name, query, now) is Reason.GRANTED
        ]

    def answer(self, question: Question) -> Reason:
        (name, item), query, now = question
        held = self.licenses.get(name)
        if held is None or item not in held.items:
            return Reason.UNKNOWN
        if self.revoked(held, item, query):
            return Reason.REVOKED
        if self.disputed(held, item, query, now):
            return Reason.DISPUTED
        terms = self.terms(name, query, now)
        return self._by_all(name, item, query, now) if terms is Reason.GRANTED else terms

    def _by_all(self, name: bytes, item: bytes, query: Query, now: float) -> Reason:
        """Rule 8.7."""
        held = self.licenses[name]
        for party in held.consent.parties:
            if party != held.consent.contributor:
                theirs = self.considered(held.consent, party, item, query, now)
                if not theirs:
                    return Reason.INCOMPLETE
                if all(self.revoked(self.licenses[one], item, query) for one in theirs):
                    return Reason.REVOKED
        return Reason.GRANTED
