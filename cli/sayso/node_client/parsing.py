"""Verification of a node's answers, from JSON to typed values.

Signatures, receipts and proofs are checked against the network file and the request. An answer that is
incomplete, malformed or badly signed raises, and no part of it is used.
"""

import base64
from collections.abc import Sequence
from dataclasses import replace

from sayso.errors import BadAnswer, NodeRefused, NoReceipt, NotHeld
from sayso.node_client.answers import (
    Anchored,
    CheckAnswer,
    Claim,
    HeldLicense,
    NodeInfo,
    Submitted,
)
from sayso.node_client.reading import bad_answers, check_answered_now
from sayso_node.api.schema import about, values
from sayso_node.api.schema.statements import StatementJson, SublicensesTo
from sayso_node.errors import NotFound
from sayso_node.intake.outcome import Status
from sayso_protocol import errors as protocol_errors
from sayso_protocol.encoding.row_tree import ROW_BYTES
from sayso_protocol.errors import SaysoError, Unsupported
from sayso_protocol.messages.consent import Consent
from sayso_protocol.messages.envelope import Envelope, decode
from sayso_protocol.messages.message import CONSENT, SUBLICENSE, as_kind
from sayso_protocol.network import Network
from sayso_protocol.network_file import NetworkFile
from sayso_protocol.primitives import address_from_text, hash_from_text, hex_text
from sayso_protocol.receipts.json_values import node_key_of
from sayso_protocol.receipts.question import Question
from sayso_protocol.receipts.receipt import Receipt, check_results
from sayso_protocol.receipts.text import acknowledgement_from_json, receipt_from_json
from sayso_protocol.signatures.wallets import EoaVerifier
from sayso_protocol.verdicts.verdict import REASONS, License

_CODES = {
    one.code: one
    for one in vars(protocol_errors).values()
    if isinstance(one, type) and issubclass(one, SaysoError)
}


_Enveloped = values.WholeLicense | values.PagedLicense


def refusal(fault: values.Fault) -> SaysoError:
    """Return the error for a node's {"code", "message"}."""
    code, message = fault.code, fault.message
    if code == NotFound.code:
        return NotHeld(message)
    return _CODES[code](message) if code in _CODES else NodeRefused(f"{code}: {message}")


def read_node_info(answer: about.NodeJson) -> NodeInfo:
    """Read GET /v1/node, the node's unverified statements about itself; raises BadAnswer."""
    block = answer.block
    with bad_answers():
        return NodeInfo(
            name=answer.name,
            version=answer.version,
            node_key=node_key_of(answer.node_key),
            peer_id=answer.peer_id,
            network=answer.network.read(),
            time=answer.time,
            block=(block.number, block.time) if block else None,
            listen=tuple(answer.listen),
            counters=answer.counters,
        )


def read_license(answer: values.WholeLicense, license_hash: bytes, network: Network) -> HeldLicense:
    """Read GET /v1/licenses/...; raises the errors of read_consent, and BadProof for the anchor.

    The signature of a contract wallet is not verified, and stands in `unjudged`.
    """
    anchor = _read_anchor(answer.anchor, license_hash) if answer.anchor else None
    block = anchor.block_number if anchor else None
    return replace(_read_held(answer, license_hash, block, network), anchor=anchor)


def read_licenses(
    answer: values.Licenses, contributor: bytes, network: Network
) -> tuple[list[HeldLicense], str | None]:
    """Read GET /v1/contributors/.../licenses, and the next cursor; raises as read_license."""
    found = list[HeldLicense]()
    for one in answer.licenses:
        with bad_answers():
            name = hash_from_text(one.license)
        found.append(_read_held(one, name, one.anchor_block, network))
        if found[-1].license.consent.contributor != contributor:
            raise BadAnswer("the node listed a license of another contributor")
    return found, answer.next


def _read_held(answer: _Enveloped, name: bytes, block: int | None, network: Network) -> HeldLicense:
    envelope = _read_envelope(answer, name, network)
    unjudged = None
    try:
        envelope.check_signatures(EoaVerifier())
    except Unsupported:
        unjudged = envelope.claim
    terms = License(as_kind(envelope.message, Consent), envelope.items)
    held = HeldLicense(name, terms, answer.revoked_permissions, block, unjudged=unjudged)
    if held.revoked > held.permissions:
        raise BadAnswer("the node's answer has more revoked permissions than there are")
    return held


def read_consent(answer: values.WholeLicense, license_hash: bytes, network: Network) -> Envelope:
    """Read the consent in GET /v1/licenses/...; raises BadAnswer, BadSignature and as `decode`.

    Raises Unsupported for a contract wallet, whose signature only the chain can judge.
    """
    envelope = _read_envelope(answer, license_hash, network)
    envelope.check_signatures(EoaVerifier())
    return envelope


def _read_envelope(answer: _Enveloped, license_hash: bytes, network: Network) -> Envelope:
    envelope = _decoded(answer.envelope, network)
    if envelope.message.kind != CONSENT or envelope.digest != license_hash:
        raise BadAnswer("the node gave another message than the license asked for")
    return envelope


def _decoded(text: str, network: Network) -> Envelope:
    try:
        body = base64.b64decode(text, validate=True)
    except ValueError as error:
        raise BadAnswer("the node's answer has an envelope that is not base64") from error
    return decode(body, network)


def read_sublicenses(
    answer: SublicensesTo, after: bytes, network: Network
) -> tuple[list[Envelope], bytes | None]:
    """Read GET /v1/licenses/.../sublicenses, without signatures; raises BadAnswer and as `decode`.

    Returns the sublicenses, and the digest after which the next page begins, which is after the last.
    """
    found = [_decoded(one, network) for one in answer.sublicenses]
    if any(one.message.kind != SUBLICENSE for one in found):
        raise BadAnswer("the node gave another message than a sublicense")
    with bad_answers():
        following = hash_from_text(answer.next) if answer.next else None
    if following is not None and following <= after:
        raise BadAnswer("the node's pages of sublicenses have no end")
    return found, following


def read_statement(answer: StatementJson, digest: bytes, network: Network) -> Envelope:
    """Read GET /v1/statements/..., without its signature; raises BadAnswer and as `decode`."""
    found = _decoded(answer.envelope, network)
    if found.digest != digest:
        raise BadAnswer("the node gave another statement than asked for")
    return found


def read_claims(answer: values.Claims) -> tuple[list[Claim], str | None]:
    """Read GET /v1/items/.../claims, which is unverified, and the cursor of the next page."""
    with bad_answers():
        claims = [
            Claim(hash_from_text(one.license), address_from_text(one.contributor))
            for one in answer.claims
        ]
    return claims, answer.next


def _read_anchor(answer: values.AnchorJson, license_hash: bytes) -> Anchored:
    with bad_answers():
        anchored = Anchored(hash_from_text(answer.root), answer.block_number, answer.proof.read())
    anchored.proof.check(license_hash, anchored.root)
    return anchored


def read_submitted(
    answer: values.Results, envelopes: Sequence[Envelope], trusted: NetworkFile
) -> list[Submitted]:
    """Read POST /v1/messages, one result for each envelope; raises the error of a refused message."""
    if len(answer.results) != len(envelopes):
        raise BadAnswer(f"the node answered {len(answer.results)} messages of {len(envelopes)}")
    pairs = zip(answer.results, envelopes, strict=True)
    return [_read_result(result, envelope, trusted) for result, envelope in pairs]


def _read_result(result: values.Result, envelope: Envelope, trusted: NetworkFile) -> Submitted:
    if result.status is Status.REFUSED and result.error:
        raise refusal(result.error)
    if result.digest != hex_text(envelope.digest):
        raise BadAnswer(f"the node's answer has no result for {hex_text(envelope.digest)}")
    if result.status is Status.PENDING:
        return Submitted(envelope.digest, new=False, pending=True)
    new = result.status is Status.STORED
    if not result.acknowledgement:
        return Submitted(envelope.digest, new)
    signed = acknowledgement_from_json(result.acknowledgement)
    operator = signed.check(trusted)
    if signed.statement.digest != envelope.digest:
        raise BadAnswer("the node acknowledged another message than the submitted one")
    return Submitted(envelope.digest, new, signed, operator)


def read_check(
    answer: values.CheckedPacked,
    question: Question,
    nonce: bytes,
    rows: bytes,
    trusted: NetworkFile,
    now: float,
) -> CheckAnswer:
    """Read POST /v1/check, and verify the receipt for this question and these rows (rules 9.2, 9.5).

    Raises:
        BadAnswer: The reasons are too few or unknown, the receipt is for another question, or granted
            rows cannot be relied on until the run ends (rule 9.9.8).
        NoReceipt: The answer has no receipt.
        OtherNonce, ReceiptNotFresh: See check_answered_now.
        BadProof: The receipt is for other rows or reasons.
        WrongNetwork, UnknownSigner, BadSignature: See Signed.check.
    """
    numbers = answer.reasons
    _check_reasons(numbers, len(rows) // ROW_BYTES)
    if answer.receipt is None:
        raise NoReceipt("the node answered without a signed receipt")
    signed = receipt_from_json(answer.receipt)
    operator = signed.check(trusted)
    _check_question(signed.statement, question)
    check_results(signed.statement, rows, numbers)
    receipt = signed.statement
    check_answered_now(receipt.nonce, receipt.time, nonce, question.max_age_s, now)
    if receipt.clear and receipt.until < max(question.run_until, receipt.time):
        raise BadAnswer("the node calls rows granted that cannot be relied on until the run ends")
    return CheckAnswer(numbers, signed, operator)


def _check_reasons(numbers: bytes, count: int) -> None:
    if len(numbers) != count:
        raise BadAnswer(f"the node gave {len(numbers)} reasons for {count} rows")
    if strange := set(numbers) - REASONS.keys():
        raise BadAnswer(f"the node gave an unknown reason ({min(strange)})")


def _check_question(receipt: Receipt, question: Question) -> None:
    if not question.is_answered_by(receipt.question):
        raise BadAnswer("the node's receipt is for another question")
