"""Vectors of the words of nodes, right ones and others (rules 9.2 to 9.10, and 10.2)."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from nacl.signing import SigningKey

from sayso_protocol.encoding.row_tree import prove_row, roots
from sayso_protocol.ethereum.batches import AnchorProof, Batch
from sayso_protocol.network import Network
from sayso_protocol.primitives import hash_from_text, hex_text
from sayso_protocol.receipts.misconduct import row_proof_from_json, row_proof_to_json
from sayso_protocol.receipts.receipt import check_results, join_rows, sign_statement
from sayso_protocol.receipts.status import StatusMoment, sign_statuses, status_from_json, status_to_json
from sayso_protocol.receipts.text import (
    acknowledgement_from_json,
    acknowledgement_to_json,
    receipt_from_json,
    receipt_to_json,
)
from sayso_protocol.verdicts.verdict import Reason, Row
from support.protocol_strategies import ADA, NETWORK, NODE, item_hashes
from support.receipt_values import number_reasons
from support.snapshots import STRANGER
from support.statements import NODE_KEY, OTHER_NODE, TRUSTED
from vectors.broken_promises import AT, CONSENT, ITEMS, misconduct, rows_of
from vectors.statements import statements
from vectors.texts import code_of

Json = dict[str, Any]
SIGNED = statements()
KINDS: dict[str, Callable[[Any], Any]] = {
    "receipt": receipt_from_json,
    "acknowledgement": acknowledgement_from_json,
    "status": status_from_json,
}


def _signed_again(kind: str, key: SigningKey = NODE, nonce: bytes | None = None, **changes: Any) -> Json:
    """A right statement with other values, signed by a node."""
    own = changes | {"node_key": bytes(key.verify_key)}
    if kind == "receipt":
        receipt = receipt_from_json(SIGNED[kind]).statement
        own["nonce"] = receipt.nonce if nonce is None else nonce
        return dict(receipt_to_json(sign_statement(key, replace(receipt, **own))))
    if kind == "acknowledgement":
        promise = acknowledgement_from_json(SIGNED[kind]).statement
        return dict(acknowledgement_to_json(sign_statement(key, replace(promise, **own))))
    answer = status_from_json(SIGNED[kind])
    moment = StatusMoment(**{name: getattr(answer.head.statement, name) for name in _MOMENT} | changes)
    status = answer.status if nonce is None else answer.status._replace(nonce=nonce)
    return dict(status_to_json(sign_statuses(key, moment, [status])[0]))


def _changes(kind: str) -> dict[str, Json]:
    """What makes a right statement a wrong one."""
    right = SIGNED[kind]
    return {
        "right": {},
        "with a field more": {"note": "nobody signed this"},
        "of another type": {"type": "sayso-receipt-2"},
        "of another time": {"time": right["time"] + 1},
        "of another network": _signed_again(kind, network=Network(1, NETWORK.registry)),
        "of another registry": _signed_again(kind, network=Network(NETWORK.chain_id, ADA)),
        "of an unknown key": _signed_again(kind, key=STRANGER),
        "of the other operator": _signed_again(kind, key=OTHER_NODE),
        "of another node": {"node_key": bytes(OTHER_NODE.verify_key).hex()},
        "with another signature": {"signature": hex_text(bytes(64))},
        "with a signature cut short": {"signature": right["signature"][:-2]},
        "with a signature in capitals": {"signature": "0x" + right["signature"][2:].upper()},
        "with white space in its signature": {"signature": right["signature"][:64] + " "},
        "with a key in capitals": {"node_key": right["node_key"].upper()},
        "with a time as text": {"time": str(right["time"])},
        "with a time before 1970": {"time": -1},
        "of 1970": _signed_again(kind, time=0),
        "of a time of 2^53 - 1": _signed_again(kind, time=(1 << 53) - 1),
        "of a time of 2^53": _signed_again(kind, time=1 << 53),
        "with half a second": {"time": right["time"] + 0.5},
        "without a time": {"time": None},
        "without a block": {"block": None},
        "with a short hash": {"block": right["block"] | {"hash": "0x12"}},
    }


_MOMENT = ("network", "state", "block", "time")


def _nonces(kind: str) -> dict[str, Json]:
    return _NONCES | {
        "without a nonce": _signed_again(kind, nonce=b""),
        "with a nonce of 32 bytes": _signed_again(kind, nonce=bytes(32)),
        "with a signed nonce of 33 bytes": _signed_again(kind, nonce=bytes(33)),
    }


_NONCES: dict[str, Json] = {
    "with another nonce": {"nonce": hex_text(bytes(16))},
    "without its nonce": {"nonce": "0x"},
    "with a nonce of 33 bytes": {"nonce": hex_text(bytes(33))},
    "with half a byte of a nonce": {"nonce": "0xabc"},
}
OWN_CHANGES: dict[str, dict[str, Json]] = {
    "receipt": {
        "with other counts": {"counts": {"granted": 4}},
        "with another run": {"run_id": "run 8"},
        "with another state": {"state": hex_text(bytes(32))},
        "with a count as text": {"counts": {"granted": "4"}},
        "with its counts in another order": {
            "counts": dict(reversed(SIGNED["receipt"]["counts"].items()))
        },
    },
    "acknowledgement": {"of another revocation": {"digest": hex_text(bytes(32))}},
    "status": {
        "with another reason": {"reason": "revoked"},
        "with no reason": {"reason": "fine"},
        "with another index": {"index": 1},
        "with an index too high": {"index": 3},
        "for another item": {"item": hex_text(bytes(32))},
        "without its path": {"path": []},
        "with a path of 65 hashes": {"path": [hex_text(bytes(32))] * 65},
        "with a path in capitals": {"path": [one.upper() for one in SIGNED["status"]["path"]]},
        "with a longer path": {"path": [*SIGNED["status"]["path"], hex_text(bytes(32))]},
    },
}


def _nonces_of(kind: str) -> dict[str, Json]:
    return {} if kind == "acknowledgement" else _nonces(kind)


def _check_statement(kind: str, value: Any) -> None:
    KINDS[kind](value).check(TRUSTED)


def _statements() -> list[Json]:
    return [
        {
            "name": f"{kind} {name}",
            "kind": kind,
            "value": (value := SIGNED[kind] | change),
            "code": code_of(lambda one, kind=kind: _check_statement(kind, one), value),  # type: ignore[misc]
        }
        for kind in KINDS
        for name, change in (_changes(kind) | OWN_CHANGES[kind] | _nonces_of(kind)).items()
    ]


def _row_proofs() -> list[Json]:
    """One row of forty in their results tree, and what does not prove it."""
    rows, reasons = rows_of(CONSENT, Reason.GRANTED)
    root, right = roots(rows, reasons).results, row_proof_to_json(prove_row(rows, reasons, AT))
    cut = [right["path"][0][:-2], *right["path"][1:]]
    changes: dict[str, Json] = {
        "right": {},
        "another reason": {"reason": "revoked"},
        "another item": {"item": hex_text(ITEMS[0])},
        "another index": {"index": AT - 1},
        "an index too high": {"index": len(ITEMS)},
        "a level too few": {"path": right["path"][:1]},
        "a level too many": {"path": [*right["path"], "0x"]},
        "no path": {"path": []},
        "a path cut short": {"path": cut},
        "a reason nobody knows": {"reason": "fine"},
        "a path of half a byte": {"path": ["0xabc"]},
        "another type": {"type": "sayso-receipt-1"},
    }

    short = roots(rows[: 32 * 64], reasons[:32]).results
    low = row_proof_to_json(prove_row(rows[: 32 * 64], reasons[:32], 0))
    cases = [(name, right | change, len(ITEMS), root) for name, change in changes.items()]
    cases += [
        ("a row fewer", right, len(ITEMS) - 1, root),
        ("one of 32", low, 32, short),
        ("one of 1,024, by a level too few", low, 1_024, short),
    ]

    def check(case: tuple[str, Json, int, bytes]) -> None:
        _, value, count, above = case
        row_proof_from_json(value).check(count, above)

    return [
        {
            "name": case[0],
            "count": case[2],
            "root": hex_text(case[3]),
            "value": case[1],
            "code": code_of(check, case),
        }
        for case in cases
    ]


def _results() -> list[Json]:
    """Rows and reasons beside a receipt: whether they are what it binds (rule 9.2)."""
    right: list[Json] = SIGNED["receipt_rows"]
    cases = {
        "right": right,
        "a row fewer": right[:-1],
        "other order": right[::-1],
        "another reason": [right[0] | {"reason": "revoked"}, *right[1:]],
        "the same counts": [
            right[0] | {"reason": "revoked"},
            right[1] | {"reason": "granted"},
            *right[2:],
        ],
        "another row": [right[0] | {"item": hex_text(bytes(32))}, *right[1:]],
    }
    receipt = receipt_from_json(SIGNED["receipt"]).statement
    counts = dict(receipt.counts)
    others = {
        "a count too high": counts | {"granted": counts["granted"] + 1},
        "a reason without its count": {name: counts[name] for name in counts if name != "granted"},
        "two counts that make up for each other": {
            **counts, "granted": counts["granted"] + 1, "revoked": counts["revoked"] - 1,
        },
        "a reason that no row has": counts | {"disputed": 1},
    }  # fmt: skip

    def check(case: Json) -> None:
        rows = case["rows"]
        pairs = [Row(hash_from_text(one["license"]), hash_from_text(one["item"])) for one in rows]
        reasons = number_reasons(Reason(one["reason"]) for one in rows)
        stated = replace(receipt, counts=tuple(sorted(case["counts"].items())))
        check_results(stated, join_rows(pairs), reasons)

    made: list[Json] = [
        *({"name": name, "rows": rows, "counts": counts} for name, rows in cases.items()),
        *({"name": name, "rows": right, "counts": other} for name, other in others.items()),
    ]
    return [case | {"code": code_of(check, case)} for case in made]


def _anchors() -> list[Json]:
    """One license of three under an anchored root (rule 10.2)."""
    batch = Batch(NODE_KEY, item_hashes(3))
    right, root = batch.proof(2), batch.root
    cases = {
        "right": right,
        "another index": replace(right, index=0),
        "an index too high": replace(right, index=3),
        "another count": replace(right, count=4),
        "a count of 2^64": replace(right, count=1 << 64),
        "another maker": replace(right, sponsor=bytes(OTHER_NODE.verify_key)),
        "another tree": replace(right, tree=bytes(32)),
        "a path too short": replace(right, path=()),
        "a path too long": replace(right, path=(*right.path, bytes(32))),
        "a count of 2^64 - 1": replace(right, count=(1 << 64) - 1),
    }
    alone = Batch(NODE_KEY, item_hashes(1))
    return [
        *(_anchor(name, proof, batch.licenses[2], root) for name, proof in cases.items()),
        _anchor("the only one", alone.proof(0), alone.licenses[0], alone.root),
        _anchor("a second of one", replace(alone.proof(0), index=1), alone.licenses[0], alone.root),
    ]


def _anchor(name: str, proof: AnchorProof, license_hash: bytes, root: bytes) -> Json:
    return {
        "name": name,
        "license": hex_text(license_hash),
        "root": hex_text(root),
        "node_key": proof.sponsor.hex(),
        "count": str(proof.count),
        "index": proof.index,
        "path": [hex_text(step) for step in proof.path],
        "tree": hex_text(proof.tree),
        "code": code_of(lambda one: one.check(license_hash, root), proof),
    }


def evidence() -> Json:
    """Right ones have the code null."""
    return {
        "trusted": TRUSTED.to_toml(),
        "statements": _statements(),
        "results": _results(),
        "row_proofs": _row_proofs(),
        "anchors": _anchors(),
        "misconduct": misconduct(),
    }
