"""`sayso receipt verify` refuses records that say what no node judged, with sums that fit."""

import base64
import json
import tracemalloc
import zlib
from collections.abc import Callable
from typing import Any

import pytest

from cli.gate.conftest import Buyer
from cli.gate.test_nodes import both, south  # noqa: F401 - a fixture
from sayso.gate.judges.base import PART_ROWS
from sayso.gate.records.reasons import reasons_from_text, reasons_to_text
from sayso_protocol.encoding.row_tree import results_root
from sayso_protocol.errors import Malformed
from sayso_protocol.primitives import hash_from_text, hex_text
from sayso_protocol.receipts.receipt import count_reasons, sign_statement
from sayso_protocol.receipts.text import receipt_from_json, receipt_to_json
from support.fake_node import FakeNode

FILES = ("--manifest", "m.jsonl", "--rejected", "why.jsonl")
TOLD = ("--rejected", "why.jsonl", "--receipt", "receipt.json")
HONEST, SWAPPED = bytes([1, 2, 1, 1]), bytes([2, 1, 1, 1])  # b.flac is revoked, or a.flac
Json = dict[str, Any]


def joined(rows: list[Json]) -> bytes:
    return b"".join(hash_from_text(row["license"]) + hash_from_text(row["item"]) for row in rows)


def root(buyer: Buyer, numbers: bytes, repeats: int = 1) -> str:
    return hex_text(results_root(joined(buyer.rows * repeats), numbers))


def part(buyer: Buyer, numbers: bytes, *answers: Json) -> Json:
    return {"rows": len(numbers), "results_root": root(buyer, numbers), "answers": list(answers)}


def times(receipt: Json) -> Json:
    """The times of an offline part."""
    return {name: receipt[name] for name in ("time", "until")}


def answer(numbers: bytes, receipt: Json) -> Json:
    return {"reasons": reasons_to_text(numbers), "receipt": receipt}


def wrapped(receipt: Json, *parts: Json) -> Json:
    """A record around a genuine receipt, with sums that fit its parts."""
    copied = (
        "network",
        "grantee",
        "purpose",
        "max_age_s",
        "run_id",
        "run_until",
        "time",
        "until",
        "counts",
    )
    names = ("node_key", "state", "time", "counts")
    source = {name: receipt[name] for name in names} | {
        "kind": "node",
        "operator": "Fake",
        "url": "http://x",
        "block": receipt["block"]["number"],
        "block_hash": receipt["block"]["hash"][2:],
    }
    source["state"] = source["state"][2:]
    manifest = {"name": "m.jsonl", "format": "jsonl", "rows": sum(one["rows"] for one in parts)}
    record = {"type": "sayso-run-1", "judges": "nodes"} | {name: receipt[name] for name in copied}
    record |= {"manifest": manifest, "differing": 0, "overruled": 0}
    return record | {"sources": [source], "parts": list(parts)}


def reject(buyer: Buyer, *lines: int, repeats: int = 1) -> None:
    """Write the manifest, so many times, and the rejected rows for a claim that they are revoked."""
    rows = buyer.rows * repeats
    buyer.world.write("m.jsonl", b"".join(json.dumps(one).encode() + b"\n" for one in rows))
    said = [rows[line - 1] | {"line": line, "reason": "revoked"} for line in lines]
    buyer.world.write("why.jsonl", b"".join(json.dumps(one).encode() + b"\n" for one in said) or b"\n")


@pytest.fixture
def receipt(buyer: Buyer) -> Json:
    """A node's receipt for four rows, of which the second is revoked."""
    buyer.revoke()
    buyer.check("m.jsonl", *TOLD, status=3)
    found: Json = json.loads((buyer.folder / "receipt.json").read_bytes())
    return found


def verify(buyer: Buyer, record: Json, *more: object, fails: str | None = None) -> str:
    buyer.world.write("record.json", json.dumps(record).encode())
    command = ("receipt", "verify", "record.json", *(more or FILES))
    said = buyer.world.fails(fails, *command) if fails else buyer.world.run(*command)
    return str(said.stdout)


def test_a_genuine_record_verifies(buyer: Buyer, receipt: Json) -> None:
    said = verify(buyer, wrapped(receipt, part(buyer, HONEST, answer(HONEST, receipt))))
    assert "receipts signed by Fake" in said
    assert "states exactly these rejected rows" in said


def test_a_record_of_many_parts_is_large(buyer: Buyer, receipt: Json) -> None:
    """It has kilobytes for each part, so its limit is not that of other files."""
    record = wrapped(receipt, part(buyer, HONEST, answer(HONEST, receipt)))
    verify(buyer, record | {"note": "x" * 5_000_000})


@pytest.mark.parametrize("kept", [HONEST, SWAPPED])
def test_results_that_the_node_did_not_give(buyer: Buyer, receipt: Json, kept: bytes) -> None:
    """Attack 1: the same counts, the other way round."""
    reject(buyer, 1)
    verify(buyer, wrapped(receipt, part(buyer, SWAPPED, answer(kept, receipt))), fails="bad-proof")
    forged = part(buyer, SWAPPED, answer(kept, receipt)) | {"results_root": receipt["results_root"]}
    verify(buyer, wrapped(receipt, forged), fails="bad-proof")


def test_results_are_reproduced_without_the_rejected_rows(buyer: Buyer, receipt: Json) -> None:
    record = wrapped(receipt, part(buyer, SWAPPED, answer(SWAPPED, receipt)))
    verify(buyer, record, *FILES[:2], fails="bad-proof")


def test_a_part_that_nobody_saw(buyer: Buyer, receipt: Json) -> None:
    """Attack 1, second form: rows without a receipt beside rows with one."""
    unseen = bytes([1, 1, 1, 1])
    record = wrapped(receipt, part(buyer, HONEST, answer(HONEST, receipt)), part(buyer, unseen))
    record["counts"] = dict(count_reasons(HONEST + unseen))
    reject(buyer, 2, repeats=2)
    verify(buyer, record, fails="bad-proof")
    record["parts"][1] |= times(receipt)  # the form of an offline part
    verify(buyer, record, fails="bad-proof")
    record["judges"] = "snapshots"
    verify(buyer, record, fails="bad-proof")


def test_a_receipt_that_serves_twice(buyer: Buyer, receipt: Json) -> None:
    record = wrapped(receipt, *[part(buyer, HONEST, answer(HONEST, receipt))] * 2)
    record["counts"] = {"granted": 6, "revoked": 2}
    record["sources"][0]["counts"] = record["counts"]
    reject(buyer, 2, 6, repeats=2)
    verify(buyer, record, fails="bad-proof")
    verify(buyer, record, "--manifest", "m.jsonl", fails="bad-proof")


def test_what_no_node_signed_is_not_called_a_receipt(buyer: Buyer, receipt: Json) -> None:
    """An offline record is the word of its maker; `verify` says so in each sentence."""
    reject(buyer, 1)
    offline = part(buyer, SWAPPED) | times(receipt)
    said = verify(buyer, wrapped(receipt, offline) | {"judges": "snapshots", "heed": []})
    assert "no node signed it" in said
    assert "the record, which no node signed, is for exactly the rows of the manifest" in said
    assert "receipt" not in said
    assert "source:" not in said, "nothing binds its sources without --offline"


@pytest.mark.parametrize("counts", [{"fine": 4}, {"granted": 3}, {"granted": 5}, {}])
def test_an_offline_record_adds_up_without_files(
    buyer: Buyer, receipt: Json, counts: dict[str, int]
) -> None:
    judged = part(buyer, SWAPPED) | times(receipt)
    offline = wrapped(receipt, judged) | {"judges": "snapshots", "heed": []}
    buyer.world.write("record.json", json.dumps(offline).encode())
    buyer.world.run("receipt", "verify", "record.json")
    buyer.world.write("record.json", json.dumps(offline | {"counts": counts}).encode())
    buyer.world.fails("bad-proof", "receipt", "verify", "record.json")


def test_a_node_heeds_the_same_in_all_parts(buyer: Buyer, receipt: Json) -> None:
    """Rule 8.17.4: nobody mixes answers under a list with answers under none."""
    reject(buyer, 2, 6, repeats=2)
    for heed, fails in (([], None), (["0x" + "01" * 20], "bad-proof")):
        later = receipt_from_json(receipt | {"sequence": receipt["sequence"] + 1, "heed": heed})
        second = receipt_to_json(sign_statement(buyer.node.key, later.statement))
        parts = [part(buyer, HONEST, answer(HONEST, one)) for one in (receipt, second)]
        record = wrapped(receipt, *parts)
        record["counts"] = {"granted": 6, "revoked": 2}
        record["sources"][0]["counts"] = record["counts"]
        verify(buyer, record, fails=fails)


def test_a_record_of_nodes_claims_no_list_of_its_own(buyer: Buyer, receipt: Json) -> None:
    record = wrapped(receipt, part(buyer, HONEST, answer(HONEST, receipt)))
    for heed in ([], ["0x" + "01" * 20]):
        verify(buyer, record | {"heed": heed}, fails="bad-proof")


@pytest.fixture
def differing(buyer: Buyer, south: FakeNode) -> Json:  # noqa: F811
    """The record of two nodes, of which one does not know the revocation."""
    buyer.revoke()
    buyer.check("m.jsonl", *both(buyer, south), *TOLD, status=3)
    found: Json = json.loads((buyer.folder / "receipt.json").read_bytes())
    assert found["differing"] == 1
    return found


CLEAR = bytes([1, 1, 1, 1])


def _swap(record: Json) -> None:
    """The two nodes change places in the part, and with them nothing is said that they did not sign."""
    record["parts"][0]["answers"].reverse()


def _without_the_stricter(record: Json) -> None:
    record["parts"][0]["answers"].pop()


def _reasons_of_the_other(record: Json) -> None:
    first, second = record["parts"][0]["answers"]
    first["reasons"], second["reasons"] = second["reasons"], first["reasons"]


def _both_clear(record: Json) -> None:
    record["parts"][0]["answers"][1]["reasons"] = reasons_to_text(CLEAR)


def _overruled_by_nobody(record: Json) -> None:
    record["parts"][0]["chain"] = reasons_to_text(bytes([1, 1, 2]))


def _too_many_by_the_chain(record: Json) -> None:
    record["parts"][0]["chain"] = reasons_to_text(HONEST)


def _agreed(record: Json) -> None:
    record["differing"] = 0


@pytest.mark.parametrize(
    ("code", "change"),
    [
        ("bad-proof", _swap),
        ("bad-proof", _without_the_stricter),
        ("bad-proof", _reasons_of_the_other),
        ("bad-proof", _both_clear),
        ("bad-proof", _overruled_by_nobody),
        ("malformed", _too_many_by_the_chain),
        ("bad-proof", _agreed),
    ],
)
def test_several_nodes_are_bound_one_by_one(
    buyer: Buyer, differing: Json, code: str, change: Callable[[Json], None]
) -> None:
    assert "South, Fake" in verify(buyer, differing)
    change(differing)
    verify(buyer, differing, fails=code)


def test_a_row_that_one_node_refused_does_not_become_clear(buyer: Buyer, differing: Json) -> None:
    reject(buyer)
    verify(buyer, differing, fails="bad-proof")
    differing["counts"], differing["differing"] = {"granted": 4}, 0
    differing["parts"][0]["results_root"] = root(buyer, CLEAR)
    verify(buyer, differing, fails="bad-proof")
    _without_the_stricter(differing)
    verify(buyer, differing, fails="bad-proof")
    differing["sources"].pop()  # then it is the record of a run with South alone, which South signed
    assert "signed by South" in verify(buyer, differing)


def test_a_part_has_no_more_rows_than_a_request(buyer: Buyer, receipt: Json) -> None:
    record = wrapped(receipt, part(buyer, HONEST, answer(HONEST, receipt)))
    for rows in (0, PART_ROWS + 1, 1 << 60):
        record["parts"][0]["rows"] = rows
        verify(buyer, record, fails="malformed")


def test_reasons_are_read_within_the_memory_of_their_rows() -> None:
    """A megabyte that would become a gigabyte becomes nothing."""
    bomb = base64.b64encode(zlib.compress(b"\1" * (1 << 28), 9)).decode()
    tracemalloc.start()
    try:
        with pytest.raises(Malformed):
            reasons_from_text(bomb, 1_000)
        assert tracemalloc.get_traced_memory()[1] < 4 * len(bomb) + 65_536
    finally:
        tracemalloc.stop()


GOOD = reasons_to_text(HONEST)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "=",
        GOOD[:-4],
        GOOD + "AAAA",
        " " + GOOD,
        GOOD + "\n",
        "\u00e4" + GOOD,
        reasons_to_text(HONEST[:3]),
        reasons_to_text(HONEST + b"\1"),
        reasons_to_text(b"\1\2\1\0"),
        reasons_to_text(b"\1\2\1\xff"),
        base64.b64encode(HONEST).decode(),
        base64.b64encode(zlib.compress(HONEST) * 2).decode(),
    ],
)
def test_reasons_have_one_form(text: str) -> None:
    assert reasons_from_text(GOOD, 4) == HONEST
    with pytest.raises(Malformed):
        reasons_from_text(text, 4)
