"""Whom events concern, against a plain reading of rule 3.11, however messages are bundled."""

from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from node.store.harness import Tables
from sayso_node.intake.admissions import Circumstances, admit
from sayso_node.store.admission.keeper import Keeper
from sayso_node.store.admission.pending import PendingRoom
from sayso_node.store.admission.sponsors import Quotas
from sayso_node.store.events.circles import Party, Role
from sayso_node.store.interface import Reading
from sayso_protocol.messages.consent import Consent
from sayso_protocol.messages.envelope import Envelope
from sayso_protocol.messages.message import as_kind, of_kind
from sayso_protocol.messages.statements.sublicense import Sublicense
from support.holders import LABS, ZERO, removal, sublicense, use
from support.node_rig import NOW, consent
from support.passed_rows import passed_rows
from support.protocol_strategies import ADA, BEN, CLEO, NODE
from support.tries import tries

DAN, EVE, *_ = LABS
RESALE = ("resale", "train-ai")
CONSENTS = [
    consent(1, purposes=RESALE),
    consent(2, purposes=RESALE),
    consent(3, contributor=CLEO, parties=(CLEO,), grantee=BEN, purposes=RESALE),
    consent(4, contributor=CLEO, parties=(CLEO,), grantee=DAN, purposes=RESALE),
]
LICENSES = [one.digest for one in CONSENTS]
PEOPLE = [BEN, DAN, EVE, ADA]
KEY = bytes(NODE.verify_key)
AT = Circumstances(
    Keeper(KEY, Quotas(operators=frozenset({KEY}))), PendingRoom(), "test", NOW, NOW
)  # fmt: skip


@st.composite
def histories(draw: st.DrawFn) -> list[list[Envelope]]:
    """Consents, then sublicenses, then uses and removals, in bundles."""
    links, said = list[Envelope](), list[Envelope]()
    for _ in range(draw(st.integers(0, 6))):
        signer = draw(st.sampled_from(PEOPLE))
        to = draw(st.sampled_from([one for one in PEOPLE if one != signer]))
        theirs = [one.digest for one in links if as_kind(one.message, Sublicense).grantee == signer]
        parent = draw(st.sampled_from([ZERO, *theirs]))
        some = draw(st.sets(st.sampled_from(LICENSES), min_size=1))
        links.append(sublicense(signer, to, some, parent))
    names = [*LICENSES, *(one.digest for one in links)]
    for number in range(draw(st.integers(1, 5))):
        signer, named = draw(st.sampled_from(PEOPLE)), draw(st.sets(st.sampled_from(names), min_size=1))
        is_use = draw(st.booleans())
        said.append(use(signer, named, f"{number}") if is_use else removal(signer, named, number))
    history = [*CONSENTS, *links, *said]
    ends = sorted(draw(st.sets(st.integers(1, len(history)))) | {len(history)})
    return [history[start:end] for start, end in zip([0, *ends], ends, strict=False)]


class Plain:
    """Looks at everything that is kept, for one statement after the other."""

    def __init__(self, db: Reading, history: Sequence[Envelope]) -> None:
        self.consents = {one.digest: as_kind(one.message, Consent) for one in CONSENTS}
        self.links = {envelope.digest: one for envelope, one in of_kind(history, Sublicense)}
        self.named = {one.digest: one.items for one in history}
        self.passed = {(digest, name) for name, digest, *_ in passed_rows(db)}
        kept = db.execute("SELECT digest FROM messages").fetchall()
        self.links = {digest: one for digest, one in self.links.items() if (digest,) in kept}

    def licensors(self, digest: bytes) -> set[Party]:
        if digest not in self.links:
            return set()
        one = self.links[digest]
        return {Party(Role.LICENSOR, one.signer)} | self.licensors(one.parent)

    def licensed(self, licenses: Sequence[bytes]) -> set[Party]:
        some = [self.consents[one] for one in licenses]
        found = {Party(Role.CONTRIBUTOR, one.contributor) for one in some}
        return found | {Party(Role.GRANTEE, one.grantee) for one in some}

    def concerned(self, envelope: Envelope) -> set[Party]:
        digest, signer = envelope.digest, envelope.message.signer
        if digest in self.links:
            licenses = [license_ for by, license_ in self.passed if by == digest]
            found = self.licensors(digest) | {Party(Role.HOLDER, self.links[digest].grantee)}
            return found | self.licensed(licenses)
        below = [one for one in envelope.items if one in self.links]
        licenses = [one for one in envelope.items if one in self.consents]
        above = [by for by, one in self.passed if one in licenses and self.links[by].grantee == signer]
        licenses += [name for one in below for name in self.named[one] if name in self.consents]
        found = {Party(Role.HOLDER, signer)} | self.licensed(licenses)
        return found.union(*map(self.licensors, [*below, *above]))


@given(histories())
@settings(max_examples=tries(30), deadline=None)
def test_events_concern_whom_a_plain_reading_finds(
    tables: Tables, bundles: list[list[Envelope]]
) -> None:
    db = tables()
    for bundle in bundles:
        admit(db, bundle, AT)
    rows = db.execute(
        "SELECT digest, role, event_parties.address FROM events JOIN event_parties USING (seq)"
    ).fetchall()
    noted: dict[bytes, set[Party]] = {}
    for digest, role, address in rows:
        noted.setdefault(digest, set()).add(Party(Role(role), address))
    history = [one for bundle in bundles for one in bundle]
    plain = Plain(db, history)
    kept = {digest for (digest,) in db.execute("SELECT digest FROM messages")} - set(LICENSES)
    assert noted == {one.digest: plain.concerned(one) for one in history if one.digest in kept}
