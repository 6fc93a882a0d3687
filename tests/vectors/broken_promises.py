"""Vectors of misconduct: what proves that a node broke its promise, and what does not (rule 9.7)."""

from dataclasses import replace
from typing import Any

from sayso_protocol.encoding.row_tree import prove_row, roots
from sayso_protocol.messages.envelope import Envelope, decode, encode
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.permissions.scopes import Scope, agreement_subject, file_subject, to_subject
from sayso_protocol.primitives import hex_text, sha256
from sayso_protocol.receipts.misconduct import Evidence, row_proof_from_json, row_proof_to_json
from sayso_protocol.receipts.receipt import (
    Acknowledgement,
    ChainPoint,
    Receipt,
    count_reasons,
    join_rows,
    sign_statement,
)
from sayso_protocol.receipts.text import (
    acknowledgement_from_json,
    acknowledgement_to_json,
    receipt_from_json,
    receipt_to_json,
)
from sayso_protocol.signatures.wallets import EoaVerifier
from sayso_protocol.verdicts.verdict import Reason, Row
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
from support.statements import NODE_KEY, OTHER_NODE, TRUSTED
from vectors.texts import code_of

Json = dict[str, Any]
ITEMS = item_hashes(40)
PAIR = tuple(sorted([ADA, BEN]))
CONSENT = signed(a_consent(ITEMS, guardian=CLEO), ITEMS)
CALL = signed(a_consent(ITEMS, parties=PAIR), ITEMS)
TO_ANYONE = signed(a_consent(ITEMS, grantee=bytes(20)), ITEMS)
STOP = signed(Revocation(ADA, ("everything",)))
PROMISED_AT, BLOCK = 1_750_000_000, 19
AT = 37  # the row in question: not in the first node


def rows_of(consent: Envelope, reason: Reason) -> tuple[bytes, bytes]:
    """All rows of a consent with their reasons; the one in question gets `reason`."""
    rows = join_rows(Row(consent.digest, item) for item in ITEMS)
    return rows, number_reasons([reason if at == AT else Reason.EXPIRED for at in range(len(ITEMS))])


def _broken_promise(
    revocation: Envelope,
    consent: Envelope = CONSENT,
    reason: Reason = Reason.GRANTED,
    later: tuple[int, int] = (1, 0),
    by: Any = NODE,
) -> Json:
    """What a node promised, and what it answered so many seconds and blocks later."""
    rows, reasons = rows_of(consent, reason)
    both, key = roots(rows, reasons), bytes(by.verify_key)
    receipt = Receipt(
        network=NETWORK,
        node_key=key,
        grantee=BEN,
        purpose="train-ai",
        max_age_s=60,
        run_id="run 7",
        nonce=b"",
        manifest_root=both.manifest,
        results_root=both.results,
        counts=count_reasons(reasons),
        sequence=8,
        state=sha256(b"state"),
        block=ChainPoint(BLOCK + later[1], sha256(b"block")),
        time=PROMISED_AT + later[0],
        run_until=0,
        until=PROMISED_AT + 604_800,
        heed=(),
    )
    point = ChainPoint(BLOCK, sha256(b"block"))
    promise = Acknowledgement(NETWORK, NODE_KEY, revocation.digest, point, PROMISED_AT)
    return {
        "acknowledgement": acknowledgement_to_json(sign_statement(NODE, promise)),
        "revocation": hex_text(encode(revocation)),
        "receipt": receipt_to_json(sign_statement(by, receipt)),
        "consent": hex_text(encode(consent)),
        "proof": row_proof_to_json(prove_row(rows, reasons, AT)),
    }


def _stop(*scopes: str, by: bytes = ADA) -> Envelope:
    return signed(Revocation(by, scopes))


def _misconduct() -> dict[str, Json]:
    file, ward = file_subject(ITEMS[AT]), Scope("everything", None, ADA).text
    bits = a_consent(ITEMS).masks([AT], ["train-ai"])
    others = a_consent(ITEMS).masks([AT], ["evaluate"])
    good = _broken_promise(STOP)
    return {
        "everything": good,
        "the file": _broken_promise(_stop(file)),
        "the marketplace": _broken_promise(_stop("via kled.ai")),
        "one bit": _broken_promise(signed(Revocation(ADA, (), tuple(bits), tuple(bits.values())))),
        "a guardian": _broken_promise(_stop(ward, by=CLEO)),
        "another party": _broken_promise(_stop(f"{file} for train-ai", by=BEN), CALL),
        "the agreement": _broken_promise(_stop(agreement_subject(a_consent(ITEMS).agreement))),
        "to the grantee": _broken_promise(_stop(to_subject(BEN))),
        "to the asker": _broken_promise(_stop(f"{to_subject(BEN)} for train-ai"), TO_ANYONE),
        "another party, to the asker": _broken_promise(_stop(to_subject(BEN), by=BEN), CALL),
        "a later block": _broken_promise(STOP, later=(1, 9)),
        "to somebody else": _broken_promise(_stop(to_subject(CLEO)), TO_ANYONE),
        "to the asker for another purpose": _broken_promise(
            _stop(f"{to_subject(BEN)} for evaluate"), TO_ANYONE
        ),
        "another party's agreement": _broken_promise(
            _stop(agreement_subject(a_consent(ITEMS).agreement), by=BEN), CALL
        ),
        "another party, to somebody else": _broken_promise(_stop(to_subject(CLEO), by=BEN), CALL),
        "another party, to the asker for resale": _broken_promise(
            _stop(f"{to_subject(BEN)} for resale", by=BEN), CALL
        ),
        "another party's marketplace": _broken_promise(_stop("via kled.ai", by=BEN), CALL),
        "another purpose": _broken_promise(_stop("everything for evaluate")),
        "the bit of another purpose": _broken_promise(
            signed(Revocation(ADA, (), tuple(others), tuple(others.values())))
        ),
        "somebody else's": _broken_promise(_stop("everything", by=BEN)),
        "it answered revoked": _broken_promise(STOP, reason=Reason.REVOKED),
        "in the same second": _broken_promise(STOP, later=(0, 0)),
        "at a lower block": _broken_promise(STOP, later=(1, -1)),
        "two nodes": _broken_promise(STOP, by=OTHER_NODE),
        "another revocation": good | {"revocation": hex_text(encode(_stop(file)))},
        "another consent": good | {"consent": hex_text(encode(CALL))},
        "an acknowledgement of another time": _changed(good, "acknowledgement", time=PROMISED_AT - 1),
        "a receipt of another time": _changed(good, "receipt", time=PROMISED_AT + 2),
        "a revocation that another signed": good
        | {
            "revocation": hex_text(
                encode(replace(STOP, signature=_stop("everything", by=BEN).signature))
            )
        },
        "another row": good | {"proof": good["proof"] | {"index": 0}},
    }


def _changed(case: Json, name: str, **changes: Any) -> Json:
    return case | {name: case[name] | changes}


def _check_misconduct(case: Json) -> None:
    Evidence(
        acknowledgement_from_json(case["acknowledgement"]),
        decode(bytes.fromhex(case["revocation"][2:]), NETWORK),
        receipt_from_json(case["receipt"]),
        decode(bytes.fromhex(case["consent"][2:]), NETWORK),
        row_proof_from_json(case["proof"]),
    ).check(TRUSTED, EoaVerifier())


def misconduct() -> list[Json]:
    """Evidence; what proves something has the code null."""
    cases = _misconduct().items()
    return [{"name": name, "code": code_of(_check_misconduct, case), **case} for name, case in cases]
