"""Explanations of nodes' statements and of network files."""

from collections.abc import Iterator
from typing import Any

from sayso.explain.sentences import Explanation, count, listed, moment, node_line, purpose_text, who
from sayso_protocol.encoding.merkle import check_path
from sayso_protocol.encoding.row_tree import RowProof
from sayso_protocol.errors import BadProof, Malformed, SaysoError
from sayso_protocol.network_file import NetworkFile
from sayso_protocol.primitives import HASH_BYTES, address_text, hex_text
from sayso_protocol.receipts.misconduct import ROW_PROOF_TYPE as ROW_PROOF
from sayso_protocol.receipts.misconduct import row_proof_from_json
from sayso_protocol.receipts.receipt import Acknowledgement, Receipt
from sayso_protocol.receipts.status import STATUS_TYPE as STATUS
from sayso_protocol.receipts.status import StatusAnswer, status_from_json
from sayso_protocol.receipts.text import acknowledgement_from_json, receipt_from_json
from sayso_protocol.verdicts.query import Heed
from sayso_protocol.verdicts.verdict import REASONS


def explain_statement(value: Any, trusted: NetworkFile | None) -> Explanation:
    """Explain a JSON object that a node signed; raises Malformed."""
    kind = value.get("type") if isinstance(value, dict) else None
    if kind == "sayso-receipt-1":
        signed = receipt_from_json(value)
        line, error = node_line(signed, trusted)
        return Explanation((*_receipt(signed.statement), line), error)
    if kind == "sayso-acknowledgement-1":
        promise = acknowledgement_from_json(value)
        line, error = node_line(promise, trusted)
        return Explanation((*_acknowledgement(promise.statement), line), error)
    if kind == STATUS:
        return _explain_status(status_from_json(value), trusted)
    if kind == ROW_PROOF:
        return Explanation(tuple(_row_proof(row_proof_from_json(value))))
    raise Malformed("this JSON is not a receipt, acknowledgement, status answer or proof of a row")


def _receipt(receipt: Receipt) -> Iterator[str]:
    rows = sum(number for _, number in receipt.counts)
    yield f"This is receipt {receipt.sequence:,} of a node: what it answered to a check."
    yield (
        f"{who(receipt.grantee)} asked to use {count(rows, 'row')} for {purpose_text(receipt.purpose)}, "
        f'in a run called "{receipt.run_id}".'
    )
    counts = [f"{number:,} {reason}" for reason, number in receipt.counts]
    yield f"The answer: {listed(counts) if counts else 'nothing'}. Only granted rows may be used."
    yield _knowledge(receipt) + f"; at most {receipt.max_age_s:,} seconds old was asked for."
    yield heeded(receipt.heed)
    if receipt.until:
        yield f"The granted rows can be relied on until {moment(receipt.until)}."
    yield "To compare it with the manifest and the rejected rows: sayso receipt verify."


def heeded(heed: Heed) -> str:
    """Return the sentence about whose disputes counted."""
    if not heed:
        return "No disputes counted: the check heeded nobody."
    return f"Disputes counted that were signed by {listed([*map(address_text, heed)])}."


def _knowledge(statement: Any) -> str:
    read = f"the chain read up to block {statement.block.number:,}"
    return f"The node signed on {moment(statement.time)}, with {read}"


def _acknowledgement(promise: Acknowledgement) -> Iterator[str]:
    yield "This is an acknowledgement: the promise of a node to keep a revocation."
    yield f"The revocation is {hex_text(promise.digest)}."
    yield _knowledge(promise) + "."
    yield "A later granted from the node would prove a broken promise: sayso receipt compare."


def _explain_status(answer: StatusAnswer, trusted: NetworkFile | None) -> Explanation:
    line, error = node_line(answer.head, trusted)
    return Explanation((*_status(answer), line), error or _under_its_head(answer))


def _status(answer: StatusAnswer) -> Iterator[str]:
    status = answer.status
    yield "This is a status answer: a node's verdict for one row."
    yield f"{who(status.query.grantee)} asked to use, for {purpose_text(status.query.purpose)},"
    yield f"  item {hex_text(status.row.item)} of license {hex_text(status.row.license)}."
    yield f"The answer: {status.reason}. Only granted may be used."
    yield _knowledge(answer.head.statement) + "; the answer is valid for that time only."
    if status.until:
        yield f"It can be relied on until {moment(status.until)}."
    if _under_its_head(answer):
        yield "The answer is NOT under the signed root. Believe nothing of it."


def _under_its_head(answer: StatusAnswer) -> SaysoError | None:
    """Return the error of the path from the answer to the signed root, or None (rule 9.9)."""
    head = answer.head.statement
    try:
        check_path(answer.status.content(), answer.index, head.count, answer.path, head.root)
    except BadProof as error:
        return error
    return None


def _row_proof(proof: RowProof) -> Iterator[str]:
    row = proof.row
    yield "This is the proof of one row of a receipt. It proves nothing without the receipt."
    yield f"Row {proof.index:,} (the first is 0) is {REASONS[proof.reason]}:"
    yield f"  item {hex_text(row[HASH_BYTES:])} of license {hex_text(row[:HASH_BYTES])}."


def explain_network_file(network_file: NetworkFile) -> Explanation:
    """Explain a network file."""
    return Explanation(tuple(_network_file(network_file)))


def _network_file(network_file: NetworkFile) -> Iterator[str]:
    network = network_file.network
    yield "This is a network file: its user trusts the operators in it. It has no signature."
    yield f"The network is chain {network.chain_id}, registry {address_text(network.registry)},"
    yield f"  which was deployed in block {network_file.deploy_block:,}."
    yield f"An anchor counts after {count(network_file.finality, 'further block')}."
    if not network_file.operators:
        yield "No operator is listed, so no receipt will be accepted."
    for one in network_file.operators:
        yield f"Operator {one.name}: key {one.key.hex()}" + (f", {one.url}" if one.url else "")
