"""Misconduct: a node promised to keep a revocation, and said `granted` afterwards (rule 9.7).

Nothing here rests on anybody's word: the two signatures of the node contradict each other. Evidence
that leaves an honest explanation open proves nothing, and raises.

    found = Evidence(acknowledgement, revocation, receipt, consent, proof).check(trusted, EoaVerifier())
"""

from dataclasses import dataclass
from typing import Any, Final, Literal

from msgspec import Struct

from sayso_protocol.encoding.json_values import Count, Hash, Hex, typed
from sayso_protocol.encoding.row_tree import RowProof
from sayso_protocol.errors import NotProven
from sayso_protocol.messages.consent import Consent
from sayso_protocol.messages.envelope import Envelope
from sayso_protocol.messages.message import CONSENT, REVOCATION, as_kind
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.network_file import NetworkFile, Operator
from sayso_protocol.primitives import HASH_BYTES, bytes_from_text, hash_from_text, hex_text
from sayso_protocol.receipts.receipt import Acknowledgement, Receipt, Signed, check_row
from sayso_protocol.receipts.text import Json, plain
from sayso_protocol.signatures.wallets import WalletVerifier
from sayso_protocol.verdicts.covering import covering_all
from sayso_protocol.verdicts.query import Query
from sayso_protocol.verdicts.verdict import REASONS, License, Reason, RevokedBits, Row, is_revoked

ROW_PROOF_TYPE: Final = "sayso-row-proof-1"


@dataclass(frozen=True)
class Misconduct:
    """What a node was shown to have done.

    Attributes:
        operator: Who runs it, by the network file.
        revocation: Digest of the revocation that it had promised to keep, 32 bytes.
        row: The row that it called granted all the same.
        purpose: For which purpose.
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
    """What convinces somebody who trusts nobody.

    Attributes:
        acknowledgement: What the node promised.
        revocation: The message that it promised to keep.
        receipt: What it answered later.
        consent: The one that the row names, with its item hashes.
        proof: That the receipt calls the row granted.
    """

    acknowledgement: Signed[Acknowledgement]
    revocation: Envelope
    receipt: Signed[Receipt]
    consent: Envelope
    proof: RowProof

    def check(self, trusted: NetworkFile, wallets: WalletVerifier) -> Misconduct:
        """The misconduct that the evidence proves (rule 9.7).

        Raises:
            NotProven: The pieces do not contradict each other, or are not about the same thing.
            BadProof: The receipt does not contain the row as the proof says.
            BadSignature: The revocation is not its signer's; what `wallets` raises.
            WrongNetwork: See Signed.check; UnknownSigner and BadSignature likewise.
        """
        promise, answer = self.acknowledgement.statement, self.receipt.statement
        # 1. Both are signed by the same node, of the same network.
        operator = self.acknowledgement.check(trusted)
        self.receipt.check(trusted)
        if promise.node_key != answer.node_key:
            raise NotProven("the acknowledgement and the receipt were signed by two nodes")
        # 2. What it promised to keep is this revocation, which is its signer's.
        if promise.digest != self.revocation.digest:
            raise NotProven("the acknowledgement is for another message than this revocation")
        self.revocation.check_signatures(wallets)
        # 3. The receipt calls this row of this consent granted.
        row = self._granted_row(answer)
        # 4. The revocation covers it, so that no other message could have made it clear.
        if not covers(self.revocation, self.consent, row.item, Query(answer.grantee, answer.purpose)):
            raise NotProven("the revocation does not cover this item for this purpose")
        # 5. The answer is later than the promise, by the node's own clock and by its own chain.
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
    """Whether a revocation alone keeps a row of a consent from ever being granted (8.2, 8.7)."""
    if (revocation.message.kind, consent.message.kind) != (REVOCATION, CONSENT):
        raise NotProven("a revocation and a consent are needed, in this order")
    message, terms = as_kind(revocation.message, Revocation), as_kind(consent.message, Consent)
    terms.check_items(consent.items)
    held = License(terms, consent.items)
    if held.position_of(item) is None:
        raise NotProven("the consent does not name the item")
    if is_revoked(RevokedBits([message]), held, item, query):
        return True
    # 8.7 Of another party, only a scope that covers every consent of theirs leaves no way.
    wide = covering_all(message.contributor, item, query)
    return message.contributor in terms.parties and any(one.is_set(message.bits) for one in wide)


class RowProofJson(Struct):
    """Rule 9.7."""

    type: Literal["sayso-row-proof-1"]
    license: Hash
    item: Hash
    reason: Reason
    index: Count
    path: list[Hex]


def row_proof_to_json(proof: RowProof) -> Json:
    """A row's proof as a JSON object (rule 9.7)."""
    return plain(
        RowProofJson(
            ROW_PROOF_TYPE,
            hex_text(proof.row[:HASH_BYTES]),
            hex_text(proof.row[HASH_BYTES:]),
            REASONS[proof.reason],
            proof.index,
            [hex_text(others) for others in proof.path],
        )
    )


def row_proof_from_json(value: Any) -> RowProof:
    """Read a row's proof, which is still to be checked; raises Malformed."""
    found = typed(value, RowProofJson)
    row = hash_from_text(found.license) + hash_from_text(found.item)
    path = tuple(map(bytes_from_text, found.path))
    return RowProof(row, found.reason.number, found.index, path)
