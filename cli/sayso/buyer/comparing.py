"""Proof of misconduct: the comparison of a receipt with an acknowledgement.

found, row = find_misconduct(Files(ack, receipt, revocation, consents, manifest, rejected), trusted)
"""

from dataclasses import dataclass
from pathlib import Path

from sayso.contributor.saved_messages import load_bundle
from sayso.gate.records.receipts import read_json, read_receipt, stated_results
from sayso_protocol.encoding.row_tree import RowProof, prove_row
from sayso_protocol.errors import NotProven
from sayso_protocol.messages.consent import Consent
from sayso_protocol.messages.envelope import Envelope
from sayso_protocol.messages.message import as_kind, of_kind
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.network_file import NetworkFile
from sayso_protocol.primitives import HASH_BYTES
from sayso_protocol.receipts.misconduct import Evidence, Misconduct, covers, row_proof_from_json
from sayso_protocol.receipts.receipt import Acknowledgement, Receipt, Signed, check_results
from sayso_protocol.receipts.text import acknowledgement_from_json
from sayso_protocol.signatures.wallets import EoaVerifier
from sayso_protocol.verdicts.query import Query
from sayso_protocol.verdicts.rows import row_at
from sayso_protocol.verdicts.verdict import Reason

Consents = dict[bytes, Envelope]  # by license hash


@dataclass(frozen=True)
class Files:
    """Files names the evidence: the manifest and rejected rows of a check, or the proof of one row."""

    acknowledgement: Path
    receipt: Path
    revocation: Path
    consents: Path
    manifest: Path | None = None
    rejected: Path | None = None
    proof: Path | None = None


def find_misconduct(files: Files, trusted: NetworkFile) -> tuple[Misconduct, RowProof]:
    """Find the misconduct that the files prove, and the row that proves it (rule 9.7).

    Raises:
        NotProven: The files prove no misconduct. See Evidence.check for other errors.
        FileUnreadable, Malformed, BadManifest: A file is unreadable or has the wrong content.
    """
    held = load_bundle(files.consents, trusted.network)
    consents = {one.digest: one for one, _ in of_kind(held, Consent)}
    revocations = load_bundle(files.revocation, trusted.network)
    promise, revocation = _promise(files.acknowledgement, revocations)
    receipt = read_receipt(files.receipt)
    # Verify the node's signatures first, because everything below relies on them.
    promise.check(trusted)
    receipt.check(trusted)
    proof = _proof(files, receipt.statement, revocation, consents)
    license_hash = proof.row[:HASH_BYTES]
    if license_hash not in consents:
        raise NotProven("the file of consents does not hold the license that the row names")
    evidence = Evidence(promise, revocation, receipt, consents[license_hash], proof)
    return evidence.check(trusted, EoaVerifier()), proof


def _promise(path: Path, messages: list[Envelope]) -> tuple[Signed[Acknowledgement], Envelope]:
    """Return the acknowledgement of one of these revocations; the file may hold a list."""
    value = read_json(path)
    revocations = {one.digest: one for one, _ in of_kind(messages, Revocation)}
    for signed in map(acknowledgement_from_json, value if isinstance(value, list) else [value]):
        if signed.statement.digest in revocations:
            return signed, revocations[signed.statement.digest]
    raise NotProven("the acknowledgement is not for this revocation")


def _proof(files: Files, receipt: Receipt, revocation: Envelope, consents: Consents) -> RowProof:
    """Return the given proof, or the proof of the first granted row that the revocation covers."""
    if files.proof is not None:
        return row_proof_from_json(read_json(files.proof))
    if files.manifest is None or files.rejected is None:
        raise NotProven("the rows of the check, or the proof of one of them, are missing")
    rows, numbers = stated_results(receipt, files.manifest, files.rejected)
    check_results(receipt, rows, numbers)

    theirs = {name: one for name, one in consents.items() if _concerns(revocation, one)}

    def is_contradicted(index: int) -> bool:
        row = row_at(rows, index)
        consent = theirs.get(row.license)
        if numbers[index] != Reason.GRANTED.number or consent is None or row.item not in consent.items:
            return False
        return covers(revocation, consent, row.item, Query(receipt.grantee, receipt.purpose))

    found = next(filter(is_contradicted, range(len(numbers))), None)
    if found is None:
        raise NotProven("the revocation covers no row that the receipt calls granted")
    return prove_row(rows, numbers, found)


def _concerns(revocation: Envelope, consent: Envelope) -> bool:
    """Return whether the signer of a revocation is a party or the guardian of a consent."""
    terms = as_kind(consent.message, Consent)
    return revocation.message.signer in {*terms.parties, terms.guardian}
