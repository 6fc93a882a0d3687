"""Misconduct: a node answered `granted` after it had promised to keep a revocation (rule 9.7).

The proof needs no trust, because two signatures of the node contradict each other. Evidence that leaves
an honest explanation raises NotProven.

    found = Evidence(acknowledgement, revocation, receipt, consent, proof).check(trusted, EoaVerifier())
"""

from dataclasses import dataclass
from typing import Any, Final, Literal

from msgspec import Struct

from sayso_protocol.encoding.row_tree import RowProof
from sayso_protocol.errors import NotProven
from sayso_protocol.messages.consent import Consent
from sayso_protocol.messages.envelope import Envelope
from sayso_protocol.messages.message import CONSENT, REVOCATION, as_kind
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.network_file import NetworkFile, Operator
from sayso_protocol.primitives import HASH_BYTES, hex_text
from sayso_protocol.receipts.json_values import Count, Hash, Hex, Json, texts_of, typed, values_of
from sayso_protocol.receipts.receipt import Acknowledgement, Receipt, Signed, check_row
from sayso_protocol.receipts.text import plain
from sayso_protocol.signatures.wallets import WalletVerifier
from sayso_protocol.verdicts.covering import covering_all
from sayso_protocol.verdicts.known_bits import RevokedBits
from sayso_protocol.verdicts.query import Query
from sayso_protocol.verdicts.verdict import REASONS, License, Reason, Row, is_revoked

ROW_PROOF_TYPE: Final = "sayso-row-proof-1"


@dataclass(frozen=True)
class Misconduct:
    """Misconduct is a proven broken promise of a node (rule 9.7).

    Attributes:
        operator: The node's operator in the network file.
        revocation: Digest of the revocation that the node promised to keep, 32 bytes.
        row: The row that the node answered with `granted`.
        purpose: The purpose of the receipt.
        promised_at: Time of the acknowledgement, seconds since the epoch.
        granted_at: Time of the receipt, seconds since the epoch.
        sequence: The receipt's number.
    """

    operator: Operator
    revocation: bytes
    row: Row
    purpose: str
    promised_at: int
    granted_at: int
    sequence: int


@dataclass(frozen=True)
class Evidence:
    """Evidence holds the five things that prove a broken promise (rule 9.7).

    Attributes:
        acknowledgement: The node's promise.
        revocation: The message that the node promised to keep.
        receipt: The node's later answer.
        consent: The consent that the row names, with its item hashes.
        proof: The proof that the receipt answers the row with `granted`.
    """

    acknowledgement: Signed[Acknowledgement]
    revocation: Envelope
    receipt: Signed[Receipt]
    consent: Envelope
    proof: RowProof

    def check(self, trusted: NetworkFile, wallets: WalletVerifier) -> Misconduct:
        """Return the misconduct that the evidence proves (rule 9.7).

        Raises:
            NotProven: The statements do not contradict each other, or concern different things.
            BadProof: The receipt does not contain the row with this reason.
            BadSignature: The signature of the revocation or of the node does not match.
            WrongNetwork, UnknownSigner: See Signed.check; and the errors of `wallets`.
        """
        promise, answer = self.acknowledgement.statement, self.receipt.statement
        # 9.7.1 The same node of the trusted network signed both.
        operator = self.acknowledgement.check(trusted)
        self.receipt.check(trusted)
        if promise.node_key != answer.node_key:
            raise NotProven("the acknowledgement and the receipt were signed by two nodes")
        # 9.7.2 The node promised to keep this revocation, which its signer signed.
        if promise.digest != self.revocation.digest:
            raise NotProven("the acknowledgement is for another message than this revocation")
        self.revocation.check_signatures(wallets)
        # 9.7.3 The receipt answers this row of this consent with `granted`.
        row = self._granted_row(answer)
        # 9.7.4 The revocation covers the row, so that no other message can make it clear.
        if not covers(self.revocation, self.consent, row.item, Query(answer.grantee, answer.purpose)):
            raise NotProven("the revocation does not cover this item for this purpose")
        # 9.7.5 The answer is later than the promise, by the node's clock and by its view of the chain.
        if answer.time <= promise.time or answer.block.number < promise.block.number:
            raise NotProven("the receipt is not later than the acknowledgement")
        times = promise.time, answer.time
        return Misconduct(operator, promise.digest, row, answer.purpose, *times, answer.sequence)

    def _granted_row(self, answer: Receipt) -> Row:
        reason = check_row(answer, self.proof)
        if reason is not Reason.GRANTED:
            raise NotProven(f"the receipt does not call the row granted, but {reason}")
        row = Row(self.proof.row[:HASH_BYTES], self.proof.row[HASH_BYTES:])
        if self.consent.digest != row.license or self.consent.message.kind != CONSENT:
            raise NotProven("the row names another license than this consent")
        return row


def covers(revocation: Envelope, consent: Envelope, item: bytes, query: Query) -> bool:
    """Return whether a revocation alone prevents `granted` for a row of a consent (rule 9.7.4).

    Raises:
        NotProven: The envelopes are of other kinds, or the consent does not name the item.
        InvalidConsent: The item hashes do not match the consent.
    """
    if (revocation.message.kind, consent.message.kind) != (REVOCATION, CONSENT):
        raise NotProven("a revocation and a consent are needed, in this order")
    message, terms = as_kind(revocation.message, Revocation), as_kind(consent.message, Consent)
    terms.check_items(consent.items)
    held = License(terms, consent.items)
    if held.position_of(item) is None:
        raise NotProven("the consent does not name the item")
    if is_revoked(RevokedBits([message]), held, item, query):
        return True
    # Of another party, only a scope that covers all of that party's consents suffices (8.7, 9.7.4).
    wide = covering_all(message.contributor, item, query)
    return message.contributor in terms.parties and any(one.is_set(message.bits) for one in wide)


class RowProofJson(Struct):
    """RowProofJson is the proof of a row as JSON (rule 9.7.10)."""

    type: Literal["sayso-row-proof-1"]
    license: Hash
    item: Hash
    reason: Reason
    index: Count
    path: list[Hex]


def row_proof_to_json(proof: RowProof) -> Json:
    """Return the proof of a row as a JSON object (rule 9.7.10)."""
    texts = texts_of(RowProofJson, proof) | {"type": ROW_PROOF_TYPE, "reason": REASONS[proof.reason]}
    license_, item = proof.row[:HASH_BYTES], proof.row[HASH_BYTES:]
    return plain(RowProofJson(license=hex_text(license_), item=hex_text(item), **texts))


def row_proof_from_json(value: Any) -> RowProof:
    """Read the proof of a row without checking it (rule 9.7.10); raises Malformed."""
    found = values_of(typed(value, RowProofJson))
    row = found["license"] + found["item"]
    return RowProof(row, found["reason"].number, found["index"], found["path"])
