"""Rule 9.7: what proves that a node broke its promise, and everything that does not."""

import json
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nacl.signing import SigningKey

from sayso_protocol.encoding.row_tree import prove_row, roots
from sayso_protocol.errors import (
    BadProof,
    BadSignature,
    Malformed,
    NotProven,
    SaysoError,
    UnknownSigner,
    Unsupported,
    WrongNetwork,
)
from sayso_protocol.messages.consent import Consent
from sayso_protocol.messages.envelope import Envelope
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.network import Network
from sayso_protocol.network_file import NetworkFile
from sayso_protocol.permissions.scopes import Scope, agreement_subject, file_subject, to_subject
from sayso_protocol.permissions.words import Masks
from sayso_protocol.receipts.misconduct import Evidence, covers, row_proof_from_json, row_proof_to_json
from sayso_protocol.receipts.receipt import (
    Acknowledgement,
    ChainPoint,
    Receipt,
    Signed,
    count_reasons,
    join_rows,
    sign_statement,
)
from sayso_protocol.signatures.wallets import EoaVerifier
from sayso_protocol.verdicts.query import Query
from sayso_protocol.verdicts.verdict import License, Reason, Row, verdict
from support.known import Known
from support.passing import pass_on
from support.protocol_strategies import (
    ADA,
    BEN,
    CLEO,
    NETWORK,
    NODE,
    a_consent,
    item_hashes,
    signed,
)
from support.receipt_values import number_reasons
from support.statements import NODE_KEY, OTHER_KEY, OTHER_NODE, TRUSTED

ITEMS = item_hashes(3)
PAIR = tuple(sorted([ADA, BEN]))
PROMISED_AT, BLOCK = 1_750_000_000, 19
FILE = file_subject(ITEMS[1])
CONSENT = signed(a_consent(ITEMS, guardian=CLEO), ITEMS)
CALL = signed(a_consent(ITEMS, parties=PAIR), ITEMS)
TO_ANYONE = signed(a_consent(ITEMS, grantee=bytes(20)), ITEMS)
WITH_RESALE = ("evaluate", "resale", "train-ai")
TO_CLEO = signed(a_consent(ITEMS, grantee=CLEO, purposes=WITH_RESALE), ITEMS)  # who passes it on to Ben
AGREEMENT = a_consent(ITEMS).agreement  # of CONSENT and of CALL


@dataclass(frozen=True)
class Case:
    """What a node was given, promised and said; the second of three rows is the one in question."""

    revocation: Envelope
    consent: Envelope = CONSENT
    reason: Reason = Reason.GRANTED
    purpose: str = "train-ai"
    network: Network = NETWORK
    signer: SigningKey = NODE
    granted_at: int = PROMISED_AT + 1
    granted_block: int = BLOCK

    def evidence(self) -> Evidence:
        promise = Acknowledgement(
            NETWORK, NODE_KEY, self.revocation.digest, ChainPoint(BLOCK, bytes(32)), PROMISED_AT
        )
        rows = join_rows(Row(self.consent.digest, item) for item in ITEMS)
        reasons = number_reasons([Reason.UNKNOWN, self.reason, Reason.EXPIRED])
        receipt = self._receipt(rows, reasons)
        proof = prove_row(rows, reasons, 1)
        signed_promise = sign_statement(NODE, promise)
        answer = sign_statement(self.signer, receipt)
        return Evidence(signed_promise, self.revocation, answer, self.consent, proof)

    def _receipt(self, rows: bytes, reasons: bytes) -> Receipt:
        both = roots(rows, reasons)
        return Receipt(
            network=self.network,
            node_key=bytes(self.signer.verify_key),
            grantee=BEN,
            purpose=self.purpose,
            max_age_s=60,
            run_id="run 7",
            nonce=b"",
            manifest_root=both.manifest,
            results_root=both.results,
            counts=count_reasons(reasons),
            sequence=8,
            state=bytes(32),
            block=ChainPoint(self.granted_block, bytes(32)),
            time=self.granted_at,
            run_until=0,
            until=self.granted_at + 604_800,
            heed=(),
        )


def words(items: list[int], purpose: str = "train-ai", consent: Envelope = CONSENT) -> Revocation:
    assert isinstance(consent.message, Consent)
    masks = consent.message.masks(items, [purpose])
    return Revocation(consent.message.contributor, (), tuple(masks), tuple(masks.values()))


EVERYTHING = signed(Revocation(ADA, ("everything",)))
PROVEN = {
    "everything": Case(EVERYTHING),
    "everything for the purpose": Case(signed(Revocation(ADA, ("everything for train-ai",)))),
    "the file": Case(signed(Revocation(ADA, (FILE,)))),
    "via the marketplace": Case(signed(Revocation(ADA, ("via other.ai", "via kled.ai")))),
    "the permission's bit": Case(signed(words([1]))),
    "the agreement": Case(signed(Revocation(ADA, (agreement_subject(AGREEMENT),)))),
    "to the grantee": Case(signed(Revocation(ADA, (to_subject(BEN),)))),
    "to the asker, who is not the grantee": Case(
        signed(Revocation(ADA, (to_subject(BEN) + " for train-ai",))), TO_ANYONE
    ),
    "resale, of an asker who is not the grantee": Case(
        signed(Revocation(ADA, ("everything for resale",))), TO_CLEO
    ),
    "the bit of resale, of such an asker": Case(signed(words([1], "resale", TO_CLEO)), TO_CLEO),
    "the guardian's word": Case(signed(Revocation(CLEO, (Scope(FILE, None, ADA).text,)))),
    "another party, everything": Case(signed(Revocation(BEN, ("everything for train-ai",))), CALL),
    "another party, the file": Case(signed(Revocation(BEN, (FILE,))), CALL),
    "another party, to the asker": Case(signed(Revocation(BEN, (to_subject(BEN),))), CALL),
    "a later block": Case(EVERYTHING, granted_block=BLOCK + 5),
}
NOT_PROVEN = {
    "another reason": Case(EVERYTHING, reason=Reason.REVOKED),
    "the same second": Case(EVERYTHING, granted_at=PROMISED_AT),
    "before the promise": Case(EVERYTHING, granted_at=PROMISED_AT - 1),
    "an earlier block": Case(EVERYTHING, granted_block=BLOCK - 1),
    "two nodes": Case(EVERYTHING, signer=OTHER_NODE),
    "another purpose": Case(signed(Revocation(ADA, ("everything for evaluate",)))),
    "another item's bit": Case(signed(words([0, 2]))),
    "another purpose's bit": Case(signed(words([1], "evaluate"))),
    "another marketplace": Case(signed(Revocation(ADA, ("via other.ai",)))),
    "another file": Case(signed(Revocation(ADA, (file_subject(ITEMS[0]),)))),
    "somebody else": Case(signed(Revocation(BEN, ("everything",)))),
    "a guardian not named": Case(signed(Revocation(BEN, (Scope("everything", None, ADA).text,)))),
    "a guardian without its ward": Case(signed(Revocation(CLEO, ("everything",)))),
    "another ward": Case(signed(Revocation(CLEO, (Scope("everything", None, BEN).text,)))),
    "to somebody else": Case(signed(Revocation(ADA, (to_subject(CLEO),)))),
    "to the asker for another purpose": Case(
        signed(Revocation(ADA, (to_subject(BEN) + " for evaluate",))), TO_ANYONE
    ),
    "another agreement": Case(signed(Revocation(ADA, (agreement_subject(ITEMS[0]),)))),
    "another party, the agreement": Case(signed(Revocation(BEN, (agreement_subject(AGREEMENT),))), CALL),
    "another party, to somebody else": Case(signed(Revocation(BEN, (to_subject(CLEO),))), CALL),
    "another party, to the asker for resale": Case(
        signed(Revocation(BEN, (to_subject(BEN) + " for resale",))), CALL
    ),
    "resale, of the grantee": Case(signed(Revocation(ADA, ("everything for resale",)))),
    "resale, of anyone": Case(signed(Revocation(ADA, ("everything for resale",))), TO_ANYONE),
    "a withdrawn sublicense": Case(signed(Revocation(CLEO, ("statements",))), TO_CLEO),
    "another party, one marketplace": Case(signed(Revocation(BEN, ("via kled.ai",))), CALL),
    "no revocation": Case(CONSENT),
}


@pytest.mark.parametrize("name", PROVEN)
def test_a_broken_promise_is_proven(name: str) -> None:
    found = PROVEN[name].evidence().check(TRUSTED, EoaVerifier())
    assert found.operator.name == "north"
    assert found.row == Row(PROVEN[name].consent.digest, ITEMS[1])
    assert (found.purpose, found.sequence) == ("train-ai", 8)
    assert found.revocation == PROVEN[name].revocation.digest
    assert found.granted_at > found.promised_at == PROMISED_AT


@pytest.mark.parametrize("name", NOT_PROVEN)
def test_what_an_honest_node_may_have_done_proves_nothing(name: str) -> None:
    with pytest.raises(NotProven):
        NOT_PROVEN[name].evidence().check(TRUSTED, EoaVerifier())


def flipped(signature: bytes) -> bytes:
    return bytes([signature[0] ^ 1]) + signature[1:]


GOOD = Case(EVERYTHING).evidence()
OTHER_NETWORK = replace(NETWORK, chain_id=5)
LONG = replace(EVERYTHING, signature=bytes(66))
SWAPPED: dict[str, tuple[type[SaysoError], Evidence]] = {
    "another revocation": (NotProven, replace(GOOD, revocation=signed(words([1])))),
    "another consent": (NotProven, replace(GOOD, consent=CALL)),
    "a revocation for a consent": (NotProven, replace(GOOD, consent=EVERYTHING)),
    "a revocation nobody signed": (
        BadSignature,
        replace(GOOD, revocation=replace(EVERYTHING, signature=signed(words([0])).signature)),
    ),
    "a contract wallet's": (Unsupported, replace(GOOD, revocation=LONG)),
    "other items": (SaysoError, replace(GOOD, consent=replace(CONSENT, items=item_hashes(3, 9)))),
    "another row": (BadProof, replace(GOOD, proof=replace(GOOD.proof, index=0))),
    "another reason": (BadProof, replace(GOOD, proof=replace(GOOD.proof, reason=2))),
    "an acknowledgement changed": (
        BadSignature,
        replace(
            GOOD,
            acknowledgement=replace(GOOD.acknowledgement, signature=flipped(GOOD.receipt.signature)),
        ),
    ),
    "a receipt changed": (
        BadSignature,
        replace(GOOD, receipt=Signed(replace(GOOD.receipt.statement, time=1), GOOD.receipt.signature)),
    ),
    "another network": (WrongNetwork, Case(EVERYTHING, network=OTHER_NETWORK).evidence()),
}


@pytest.mark.parametrize("name", SWAPPED)
def test_pieces_that_do_not_belong_together(name: str) -> None:
    error, evidence = SWAPPED[name]
    with pytest.raises(error):
        evidence.check(TRUSTED, EoaVerifier())


def test_only_operators_of_the_network_file_are_judged() -> None:
    others = tuple(one for one in TRUSTED.operators if one.key == OTHER_KEY)
    with pytest.raises(UnknownSigner):
        GOOD.check(NetworkFile(NETWORK, 1, 12, others), EoaVerifier())


scopes = st.builds(
    Scope,
    st.sampled_from(
        [
            "everything",
            "via kled.ai",
            "via other.ai",
            agreement_subject(AGREEMENT),
            *map(file_subject, ITEMS),
            *map(to_subject, [ADA, BEN, CLEO]),
        ]
    ),
    st.sampled_from([None, "train-ai", "evaluate", "resale"]),
    st.sampled_from([None, ADA, BEN]),
).map(lambda scope: scope.text)


BASE = a_consent(ITEMS).base
permission_masks = st.dictionaries(st.just(BASE), st.integers(1, 63), max_size=1)


@given(
    signer=st.sampled_from([ADA, BEN, CLEO]),
    texts=st.lists(scopes, max_size=3),
    bits=permission_masks,
    consent=st.sampled_from([CONSENT, CALL, TO_CLEO]),
    item=st.sampled_from(ITEMS),
    again=st.sampled_from(["kled.ai", "", "other.ai"]),
)
def test_what_is_called_covered_is_never_granted(
    signer: bytes, texts: list[str], bits: Masks, consent: Envelope, item: bytes, again: str
) -> None:
    """Whatever the other party consents to: the verdict agrees that the revocation alone stops it."""
    if not texts and not bits:
        return
    revocation = Revocation(signer, tuple(texts), tuple(bits), tuple(bits.values()))
    other = signed(a_consent(ITEMS, parties=PAIR, contributor=BEN, via=again), ITEMS)
    assert isinstance(consent.message, Consent)
    assert isinstance(other.message, Consent)
    held = [License(consent.message, consent.items), License(other.message, other.items)]
    passed = pass_on(CLEO, BEN, *held, expires_at=1_800_000_000)
    known = Known([revocation, *held, passed])
    query = Query(BEN, "train-ai")
    reason = verdict(known, Row(consent.digest, item), query, consent.message.issued_at)
    if covers(signed(revocation), consent, item, query):
        assert reason is not Reason.GRANTED


def test_the_proof_of_a_row_survives_its_file() -> None:
    text = json.dumps(row_proof_to_json(GOOD.proof))
    assert row_proof_from_json(json.loads(text)) == GOOD.proof


@pytest.mark.parametrize(
    "change",
    [
        {"type": "sayso-receipt-1"},
        {"license": "0x12"},
        {"reason": "fine"},
        {"reason": 1},
        {"index": -1},
        {"index": "1"},
        {"path": None},
        {"path": [1]},
        {"path": ["0xabc"]},
        {"path": ["0x ab"]},
        {"path": ["ab"]},
    ],
)
def test_a_file_that_is_no_proof_of_a_row(change: dict[str, Any]) -> None:
    with pytest.raises(Malformed):
        row_proof_from_json(row_proof_to_json(GOOD.proof) | change)
    with pytest.raises(Malformed):
        row_proof_from_json([change])
