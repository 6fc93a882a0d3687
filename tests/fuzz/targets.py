"""Everything that reads bytes of strangers, each with valid examples to begin from.

A target may refuse with an error of our own; any other exception is a fault. Some check more than that:
what is read must be written again to the same bytes, or a column read must agree with a single one.
"""

import json
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from fuzz import cli_doors, kept_doors, node_doors
from fuzz.target import Target
from sayso.gate.records.reasons import reasons_from_text, reasons_to_text
from sayso_protocol.encoding.json_text import parse_json
from sayso_protocol.encoding.packing import Reader, Uint, array_of, fields_of, pack
from sayso_protocol.encoding.row_tree import RowProof, prove_row, results_root
from sayso_protocol.errors import SaysoError
from sayso_protocol.ethereum.chain_proofs import CHAIN_PROOF_TYPE, check_chain_proof
from sayso_protocol.ethereum.transaction_proofs import check_receipt_proof
from sayso_protocol.ethereum.transactions import logs_of, sender_of
from sayso_protocol.messages.envelope import decode, decode_all, encode
from sayso_protocol.messages.wire import decode_bundle, encode_bundle
from sayso_protocol.network import Network
from sayso_protocol.network_file import parse_network_file
from sayso_protocol.permissions.scopes import Scope
from sayso_protocol.primitives import address_from_text, hash_from_text, hex_text
from sayso_protocol.receipts.misconduct import row_proof_from_json, row_proof_to_json
from sayso_protocol.receipts.status import status_from_json
from sayso_protocol.receipts.text import acknowledgement_from_json, receipt_from_json
from sayso_protocol.signatures.contract_wallets import read_wallet_proof, wrap
from sayso_protocol.signatures.wallets import EoaVerifier
from sayso_protocol.snapshots.key_list import list_bytes, list_of, unpacked_list
from sayso_protocol.snapshots.keys import as_keys
from sayso_protocol.snapshots.part import read_parts
from sayso_protocol.sync.answers import Listed, decode_lists, encode_lists
from sayso_protocol.sync.requests import (
    CheckRequest,
    FingerprintsRequest,
    GetRequest,
    HeedRequest,
    ListRequest,
    OfferRequest,
    RangeRequest,
    decode_request,
    encode_request,
)
from vectors import landings

VECTORS = Path(__file__).parents[1] / "vectors"
NETWORK = Network(31_337, bytes.fromhex("574650cd99d3830fe6d274c7a7843cdc00e17938"))
TRUSTED = """chain_id = 31337
registry = "0x574650Cd99D3830FE6D274c7a7843CDc00E17938"
deploy_block = 1
finality = 12
[[operators]]
name = "north"
key = "0521db1186a70045655e2b7c4fb79f3f542604eb00a951b97b43bbfe6658bf6e"
url = "https://north.example"
"""
ADDRESS = "0x574650Cd99D3830FE6D274c7a7843CDc00E17938"
# A shape with every kind of value (rule 6.1).
PACKED: Reader[Any] = Reader(
    fields_of(Uint, Uint, Uint, str, bytes, bytes | None, array_of(array_of(bytes))), 65_536
)


def _vectors(name: str) -> Any:
    return json.loads((VECTORS / f"{name}.json").read_text())


def _unhex(text: str) -> bytes:
    return bytes.fromhex(text[2:])


ENVELOPES = tuple(
    _unhex(one["envelope"])
    for one in (*_vectors("messages"), *_vectors("holders")["messages"])
    if len(one["envelope"]) < 16_384
)


def _envelope(data: bytes) -> None:
    """Read alone and in company it is the same, and it is written as it was read."""
    # Beside another, so that they are read as a table.
    together, _ = decode_all([data, ENVELOPES[0]], NETWORK)
    envelope = decode(data, NETWORK)
    assert not isinstance(together, SaysoError), "in company it is refused, alone it is not"
    assert encode(envelope) == encode(together) == data
    envelope.check_signatures(EoaVerifier())


def _packing(data: bytes) -> None:
    assert pack(PACKED.read(data)) == data


def _bundle(data: bytes) -> None:
    assert encode_bundle(decode_bundle(data)) == data


def _sync_request(data: bytes) -> None:
    assert encode_request(decode_request(data)) == data


def _lists(data: bytes) -> None:
    assert encode_lists(2, decode_lists(data, 2, 4)) == data


def _wallet(data: bytes) -> None:
    proof = read_wallet_proof(data)
    assert data in {proof.signature, wrap(proof)}


def _scope(data: bytes) -> None:
    text = data.decode("latin-1")
    assert Scope.parse(text).text == text


def _reasons(data: bytes) -> None:
    text = data.decode("latin-1")
    assert len(reasons_from_text(text, 3)) == 3


def _texts(data: bytes) -> None:
    text = data.decode("latin-1")
    with suppress(SaysoError):
        assert hex_text(hash_from_text(text)) == text
    assert hex_text(address_from_text(text)) == text.lower()


def _row_proof(data: bytes) -> None:
    data = data.ljust(98, b"\0")
    RowProof(data[:64], data[64], data[65], (data[98:],)).check(4, data[66:98])


def _row_proof_seed() -> bytes:
    rows, reasons = bytes(range(256)), bytes([1, 2, 3, 4])
    proof = prove_row(rows, reasons, 1)
    return proof.row + bytes([proof.reason, proof.index]) + results_root(rows, reasons) + proof.path[0]


def _json(read: Callable[[Any], object]) -> Callable[[bytes], object]:
    return lambda data: read(parse_json(data))


LANDINGS = _vectors("landings")
TRUSTED_BLOCKS = [hash_from_text(one) for one in LANDINGS["blocks"]]


def _dumped(values: Iterable[Any]) -> tuple[bytes, ...]:
    return tuple(json.dumps(value).encode() for value in values)


def _receipt_proof(document: Any) -> object:
    return check_receipt_proof(document, NETWORK, TRUSTED_BLOCKS)


def _receipt_proof_seed() -> Any:
    proofs = LANDINGS["proofs"]
    return landings.proof_of(next(one for one in proofs if one["code"] is None), LANDINGS)


def _row_proofs() -> list[Any]:
    rows, reasons = bytes(range(256)), bytes([1, 2, 3, 4])
    return [row_proof_to_json(prove_row(rows, reasons, 1))]


# Only a chain can make one that is valid; this one has every field.
CHAIN_PROOF = {
    "type": CHAIN_PROOF_TYPE,
    "network": {"chain_id": NETWORK.chain_id, "registry": ADDRESS},
    "license": "0x" + "11" * 32,
    "item": "0x" + "22" * 32,
    "grantee": ADDRESS,
    "purpose": "train-ai",
    "envelope": hex_text(ENVELOPES[0]),
    "block": {"header": "0xc0", "hash": "0x" + "33" * 32, "number": 7},
    "account": {"account_proof": ["0xc0"], "storage_hash": "0x" + "44" * 32},
    "permissions": [{"word": "0x1", "proof": ["0xc0"]}],
}


def _chain_proof(document: Any) -> object:
    return check_chain_proof(document, NETWORK, bytes(32))


def _snapshot(data: bytes) -> None:
    assert b"".join(part.data for part in read_parts(data)) == data


def _key_list(data: bytes) -> None:
    """Whatever fits is read and written again."""
    count = next(number for number in range(len(data) + 2) if list_bytes(number + 1) > len(data))
    data = data[: list_bytes(count)]
    assert unpacked_list(bytes(16), count, data).packed() == data


def _targets() -> dict[str, Target]:
    wrong = (*_vectors("refused"), *_vectors("holders")["refused"])
    refused = tuple(_unhex(one["envelope"]) for one in wrong)
    statements = _vectors("statements")
    wallets = tuple(_unhex(one["signature"]) for one in _vectors("wallets"))
    snapshots = tuple(_unhex(one["file"]) for one in _vectors("snapshots")["files"])
    scopes = tuple(one["scope"].encode() for one in _vectors("scopes"))
    hashes = [bytes([number]) * 32 for number in range(3)]
    salt = bytes(16)
    requests = (
        FingerprintsRequest(1, salt, 4, (1,)),
        ListRequest(2, salt, (65_540, 65_999)),
        GetRequest(1, salt, (17, 18), (b"abcde", b"fghijklmno")),
        RangeRequest(1, 1, hashes[1]),
        CheckRequest(2, salt, 9),
        OfferRequest((b"a", b"b")),
        HeedRequest(),
    )
    lists = [None, [], [Listed(b"abcde", (b"fghij", b"klmno"))]]
    return {
        "envelope": Target(_envelope, (*ENVELOPES, *(one for one in refused if len(one) < 4_096))),
        "packing": Target(_packing, (pack([0, 255, 1 << 40, "text", b"bytes", None, [[]]]),)),
        "bundle": Target(_bundle, (encode_bundle(list(ENVELOPES[:1])), encode_bundle([b"a", b"b"]))),
        "sync request": Target(_sync_request, tuple(encode_request(one) for one in requests)),
        "sync lists": Target(_lists, (encode_lists(2, lists),)),
        "wallet proof": Target(_wallet, wallets),
        "scope": Target(_scope, scopes),
        "hash and address": Target(_texts, (b"0x" + b"1f" * 32, ADDRESS.encode())),
        "row proof": Target(_row_proof, (_row_proof_seed(),)),
        "receipt": Target(_json(receipt_from_json), _dumped([statements["receipt"]])),
        "acknowledgement": Target(
            _json(acknowledgement_from_json), _dumped([statements["acknowledgement"]])
        ),
        "reasons of a record": Target(_reasons, (reasons_to_text(b"\1\2\1").encode(),)),
        "status answer": Target(_json(status_from_json), _dumped([statements["status"]])),
        "proof of a row": Target(_json(row_proof_from_json), _dumped(_row_proofs())),
        "chain proof": Target(_json(_chain_proof), _dumped([CHAIN_PROOF]), is_read=False),
        "network file": Target(
            lambda data: parse_network_file(data.decode("latin-1")), (TRUSTED.encode(),)
        ),
        "snapshot": Target(_snapshot, tuple(one for one in snapshots if len(one) < 1_100)),
        "key list": Target(_key_list, (list_of(bytes(16), as_keys(bytes(range(256)))).packed(),)),
        "transaction": Target(sender_of, tuple(landings.transaction(kind) for kind in landings.KINDS)),
        "transaction's receipt": Target(logs_of, (landings.receipt(b"\2", landings.ALL),)),
        "receipt proof": Target(_json(_receipt_proof), _dumped([_receipt_proof_seed()])),
    }


TARGETS: dict[str, Target] = {
    **_targets(),
    **node_doors.doors(),
    **cli_doors.doors(),
    **kept_doors.doors(),
}
