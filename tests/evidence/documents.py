"""One of each document that we verify, with its verification, by its heading in evidence.md."""

from pathlib import Path
from typing import Any

from evidence.chain_proofs import chain_proof
from evidence.records import offline_record, record_of_nodes
from evidence.statements import (
    CONSENT,
    EVERYTHING,
    ITEMS,
    NUMBERS,
    ROWS,
    Document,
    a_promise,
    a_receipt,
    acknowledgement,
    receipt,
    row_proof,
    status,
)
from sayso.gate.licenses import load_licenses
from sayso_protocol.encoding.packing import pack
from sayso_protocol.encoding.row_tree import prove_row
from sayso_protocol.errors import Malformed, Unsupported
from sayso_protocol.ethereum.chain_proofs import check_chain_proof
from sayso_protocol.ethereum.transaction_proofs import check_receipt_proof
from sayso_protocol.messages.envelope import Envelope, decode, encode
from sayso_protocol.messages.kinds import kind_of
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.messages.wire import encode_bundle
from sayso_protocol.primitives import hex_text, keccak
from sayso_protocol.receipts.misconduct import Evidence, row_proof_from_json, row_proof_to_json
from sayso_protocol.receipts.receipt import join_rows
from sayso_protocol.receipts.text import (
    acknowledgement_from_json,
    acknowledgement_to_json,
    receipt_from_json,
    receipt_to_json,
)
from sayso_protocol.signatures.wallets import EoaVerifier
from sayso_protocol.snapshots.hash_list import person_key
from sayso_protocol.snapshots.part import MAGIC, Part
from sayso_protocol.snapshots.snapshot import read_snapshot
from sayso_protocol.verdicts.query import Query
from support import holders
from support.packed import unpack
from support.protocol_strategies import ADA, BEN, NETWORK, signed
from support.snapshots import TRUSTED, parts_of
from vectors.landings import LANDINGS, THREE, document

Json = dict[str, Any]
HEAD_NAMES = ["network", "node_key", "state", "block", "time", "as_of", "expires_at", "counts", "salt"]
HEAD_NAMES += ["body_bytes", "body", "heeds", "form"]
ENVELOPE_NAMES = ("version", "kind", "message", "items", "signature", "network", "sponsor")


def envelope_fields(envelope: Envelope) -> Json:
    """The fields of an envelope by their names, as they are encoded (rule 6.2)."""
    found = dict(zip(ENVELOPE_NAMES, unpack(encode(envelope)), strict=True))
    names = [name for name, _, _ in kind_of(envelope.message).columns]
    found["message"] = dict(zip(names, found["message"], strict=True))
    for name, parts in (("network", ("chain_id", "registry")), ("sponsor", ("node_key", "signature"))):
        if found[name] is not None:
            found[name] = dict(zip(parts, found[name], strict=True))
    return found


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return [_plain(one) for one in value.values()]
    return [_plain(one) for one in value] if isinstance(value, list) else value


def _read(value: Any) -> Envelope:
    found = decode(pack(_plain(value)), NETWORK)
    found.check_signatures(EoaVerifier())
    return found


def consent(folder: Path) -> Document:
    """A consent as it stands in a license bundle."""

    def verify(value: Any) -> Any:
        path = folder / "one.sayso"
        path.write_bytes(encode_bundle([pack(_plain(value))]))
        found = load_licenses(path, NETWORK)
        if found.unverified:
            raise Unsupported("it is left out, and its rows are unknown")
        return found.held, found.digest

    return Document(envelope_fields(CONSENT), verify)


def revocation() -> Document:
    def verify(value: Any) -> Any:
        found = _read(value)
        return found.digest, found.message

    return Document(envelope_fields(EVERYTHING), verify)


def statement(envelope: Envelope) -> Document:
    """A statement as it stands in a file (rule 4.8)."""

    def verify(value: Any) -> Any:
        found = _read(value)
        return found.digest, found.message, found.items

    return Document(envelope_fields(envelope), verify)


def statements() -> dict[str, Document]:
    """One of each kind, by its heading."""
    held = [CONSENT.digest]
    some = (
        holders.sublicense(BEN, ADA, held),
        holders.use(BEN, held),
        holders.removal(BEN, held),
        holders.dispute(ADA, held),
    )
    return {kind_of(one.message).title: statement(one) for one in some}


def _part_fields(part: Part) -> Json:
    head = dict(zip(HEAD_NAMES, unpack(part.head.content()), strict=True))
    return {"magic": MAGIC, "head": head, "signature": part.signature, "body": part.body}


def _part_bytes(part: Any) -> bytes:
    """The bytes of a part, with fields that may be of any type, or missing."""
    values = list(part.values()) if isinstance(part, dict) else [part]
    head = [pack(_plain(one)) for one in values if isinstance(one, dict)]
    texts = [one for one in values if isinstance(one, bytes)]
    content = head[0] if head else b""
    return b"".join([*texts[:1], len(content).to_bytes(4), content, *texts[1:]])


def snapshot() -> Document:
    """A snapshot with two deltas."""
    states: list[dict[bytes, dict[int, int]]] = [
        {ADA: {7: 3}},
        {ADA: {7: 7}},
        {ADA: {7: 7}, BEN: {1: 1}},
    ]

    names = [*map(person_key, (ADA, BEN))]

    def verify(value: Any) -> Any:
        parts = _whole(value, "parts")["parts"]
        data = b"".join(map(_part_bytes, parts)) if isinstance(parts, list) else b""
        found = read_snapshot(data, TRUSTED)
        return found.heads, found.operator

    return Document({"parts": [_part_fields(part) for part in parts_of(*states, named=names)]}, verify)


def misconduct() -> Document:
    """What proves that a node broke its promise (rule 9.7)."""
    everything, answer = signed(Revocation(ADA, ("everything",))), a_receipt()
    value = {
        "acknowledgement": acknowledgement_to_json(a_promise(everything)),
        "revocation": envelope_fields(everything),
        "receipt": receipt_to_json(answer),
        "consent": envelope_fields(CONSENT),
        "proof": row_proof_to_json(prove_row(join_rows(ROWS), NUMBERS, 1)),
    }

    def verify(found: Any) -> Any:
        found = _whole(found, *value)
        evidence = Evidence(
            acknowledgement_from_json(found["acknowledgement"]),
            decode(pack(_plain(found["revocation"])), NETWORK),
            receipt_from_json(found["receipt"]),
            decode(pack(_plain(found["consent"])), NETWORK),
            row_proof_from_json(found["proof"]),
        )
        return evidence.check(TRUSTED, EoaVerifier())

    return Document(value, verify)


def _whole(value: Any, *names: str) -> Any:
    """Files beside each other: a command is not run without one of them."""
    if not isinstance(value, dict) or not set(names) <= value.keys():
        raise Malformed("a file is missing")
    return value


def on_chain() -> Document:
    proof, block_hash = chain_proof(CONSENT, NETWORK, ITEMS[1], Query(BEN, "train-ai"))

    def verify(found: Any) -> Any:
        envelope = _whole(found, "envelope")["envelope"]
        return check_chain_proof(
            found | {"envelope": hex_text(pack(_plain(envelope)))}, NETWORK, block_hash
        )

    return Document(proof | {"envelope": envelope_fields(CONSENT)}, verify)


def landed() -> Document:
    landings = [LANDINGS[name] for name in THREE]
    trusted = {keccak(block.header) for block, _ in landings}
    value = document() | {"landings": [block.landing(index) for block, index in landings]}
    value["envelope"] = envelope_fields(decode(bytes.fromhex(value["envelope"][2:]), NETWORK))

    def verify(found: Any) -> Any:
        envelope = hex_text(pack(_plain(_whole(found, "envelope")["envelope"])))
        return check_receipt_proof(found | {"envelope": envelope}, NETWORK, trusted)

    return Document(value, verify)


def documents(folder: Path) -> dict[str, Document]:
    """Every document, by the heading under which docs/reference/evidence.md lists its fields."""
    return {
        "Receipt": receipt(),
        "Acknowledgement": acknowledgement(),
        "Status answer": status(),
        "Proof of a row": row_proof(),
        "Consent in a license bundle": consent(folder),
        "Revocation": revocation(),
        **statements(),
        "Snapshot": snapshot(),
        "Misconduct": misconduct(),
        "Chain proof": on_chain(),
        "Transaction receipt proof": landed(),
        "Record of nodes": record_of_nodes(folder),
        "Offline record": offline_record(folder),
    }
