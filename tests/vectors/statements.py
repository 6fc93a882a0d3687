"""Vectors of what nodes sign or anchor (section 9, rules 4.5 and 10.1)."""

from typing import Any

from sayso_protocol.encoding.row_tree import prove_row, roots
from sayso_protocol.ethereum.batches import Batch
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.permissions.scopes import scope_word
from sayso_protocol.permissions.state_digest import StateEntry
from sayso_protocol.primitives import address_text, hex_text, sha256
from sayso_protocol.receipts.receipt import (
    Acknowledgement,
    ChainPoint,
    Receipt,
    count_reasons,
    join_rows,
    sign_statement,
)
from sayso_protocol.receipts.status import Status, StatusMoment, sign_statuses, status_to_json
from sayso_protocol.receipts.text import acknowledgement_to_json, receipt_to_json
from sayso_protocol.verdicts.query import Query
from sayso_protocol.verdicts.verdict import REASONS, Reason, Row
from support.protocol_strategies import ADA, BEN, CLEO, NETWORK, NODE, item_hashes, signed
from support.receipt_values import number_reasons, state_digest

Json = dict[str, Any]
NODE_KEY = bytes(NODE.verify_key)
BLOCK = ChainPoint(19, sha256(b"block"))
TIME = 1_750_000_000
NONCE = sha256(b"nonce")[:16]
ENTRIES: list[StateEntry] = [(BEN, 7, 3), (ADA, scope_word("everything"), 1)]
ROWS = [Row(sha256(b"license %d" % index), item_hashes(4)[index]) for index in range(4)]
ROW_REASONS = [Reason.GRANTED, Reason.REVOKED, Reason.GRANTED, Reason.UNKNOWN]


def _receipt() -> Receipt:
    rows, reasons = join_rows(ROWS), number_reasons(ROW_REASONS)
    asked, answered = roots(rows, reasons)
    return Receipt(
        network=NETWORK,
        node_key=NODE_KEY,
        grantee=BEN,
        purpose="train-ai",
        max_age_s=3_600,
        run_id="run 7",
        nonce=NONCE,
        manifest_root=asked,
        results_root=answered,
        counts=count_reasons(reasons),
        sequence=8,
        state=state_digest(ENTRIES),
        block=BLOCK,
        time=TIME,
        run_until=TIME + 86_400,
        until=TIME + 604_800,
        heed=tuple(sorted((ADA, CLEO))),
    )


def statements() -> Json:
    """What a node signs or anchors, with the bytes that are signed."""
    receipt = sign_statement(NODE, _receipt())
    everything = signed(Revocation(ADA, ("everything",)))
    acknowledgement = sign_statement(
        NODE, Acknowledgement(NETWORK, NODE_KEY, everything.digest, BLOCK, TIME)
    )
    moment = StatusMoment(NETWORK, state_digest(ENTRIES), BLOCK, TIME)
    asked = Query(BEN, "train-ai", (CLEO,))
    statuses = [
        Status(row, asked, 60, NONCE, one, TIME + 604_800 if one is Reason.GRANTED else 0)
        for row, one in zip(ROWS, ROW_REASONS, strict=True)
    ]
    status = sign_statuses(NODE, moment, statuses[:3])[2]
    return {
        "node_seed": hex_text(bytes(NODE)),
        "receipt": receipt_to_json(receipt),
        "receipt_content": hex_text(receipt.statement.content()),
        "receipt_rows": [
            {"license": hex_text(row.license), "item": hex_text(row.item), "reason": reason.value}
            for row, reason in zip(ROWS, ROW_REASONS, strict=True)
        ],
        "state_entries": [
            {"address": address_text(address), "word": _word(word), "mask": _word(mask)}
            for address, word, mask in ENTRIES
        ],
        "acknowledgement": acknowledgement_to_json(acknowledgement),
        "acknowledgement_content": hex_text(acknowledgement.statement.content()),
        "status": status_to_json(status),
        "status_content": hex_text(status.head.statement.content()),
        "batch": _batch(),
    }


def _batch() -> Json:
    batch = Batch(NODE_KEY, item_hashes(3))
    return {
        "licenses": [hex_text(one) for one in batch.licenses],
        "tree": hex_text(batch.tree),
        "root": hex_text(batch.root),
        "paths": [[hex_text(step) for step in batch.proof(at).path] for at in range(3)],
    }


def row_trees() -> Json:
    """Both roots over rows, and the proof of the last row (rule 9.2)."""
    return {
        "data": "license and item of row {i} are SHA-256 of `license {i}` and of `item {i}`;"
        f" its reason has number 1 + i % {len(REASONS)}",
        "trees": [_row_tree(count) for count in (1, 2, 32, 33, 1_025)],
    }


def _row_tree(count: int) -> Json:
    rows = b"".join(sha256(b"license %d" % at) + sha256(b"item %d" % at) for at in range(count))
    reasons = bytes(1 + at % len(REASONS) for at in range(count))
    asked, answered = roots(rows, reasons)
    proof = prove_row(rows, reasons, count - 1)
    return {
        "count": count,
        "manifest_root": hex_text(asked),
        "results_root": hex_text(answered),
        "path_of_last": [hex_text(step) for step in proof.path],
    }


def _word(word: int) -> str:
    return hex_text(word.to_bytes(32))
