"""`sayso receipt`: verify receipts offline, and compare them with acknowledgements."""

import json
from dataclasses import replace
from pathlib import Path

import click
from msgspec import UNSET

from sayso.buyer.comparing import Files, find_misconduct
from sayso.commands.buyer.dialect import columns_options
from sayso.commands.lazy import Group
from sayso.commands.options import PATH, Once, network_option, path_option
from sayso.commands.text import example, moment, say, several
from sayso.commands.types import when
from sayso.errors import NotCovered
from sayso.explain.statements import heeded
from sayso.gate.formats.base import Columns
from sayso.gate.formats.opening import Manifest
from sayso.gate.licenses import load_licenses
from sayso.gate.records.receipts import read_json, verify_receipt
from sayso.gate.records.recheck import Again, Verified, question_of, verify_record
from sayso.gate.records.record import NODES, RecordJson, record_from_json
from sayso.gate.records.record import RECORD_TYPE as RECORD
from sayso.networks import load_network
from sayso.outputs import refuse_existing, write_file
from sayso_protocol.errors import BadProof
from sayso_protocol.network_file import NetworkFile
from sayso_protocol.primitives import address_text, hex_text
from sayso_protocol.receipts.misconduct import row_proof_to_json
from sayso_protocol.receipts.receipt import Receipt, Signed
from sayso_protocol.receipts.text import receipt_from_json
from sayso_protocol.verdicts.query import Query

RECORD_BYTES = 1 << 30  # of a run of a billion rows


@click.group(cls=Group)
def receipt() -> None:
    """Verify a receipt offline, or prove that a node broke its promise."""


@receipt.command(
    cls=Once,
    epilog=example("sayso receipt verify receipt.json --manifest data.jsonl --rejected why.jsonl"),
)
@click.argument("path", type=PATH, metavar="RECEIPT")
@path_option(
    "--manifest",
    "M",
    "The manifest that was checked; several in the same order.",
    name="manifests",
    multiple=True,
)
@path_option("--rejected", "WHY", "The rejected rows of that check.")
@path_option(
    "--bundle",
    "DIR",
    "The license bundle of that check, if it was offline or the files named no license.",
)
@path_option(
    "--offline",
    "SNAPSHOT",
    "A snapshot of that check, with which the rows are judged again for the same moment.",
    multiple=True,
)
@click.option(
    "--at",
    type=when,
    metavar="WHEN",
    help="Also verify that a run at this time was covered: a date, or a span from now.",
)
@columns_options
@network_option
def verify(
    *,
    path: Path,
    manifests: tuple[Path, ...],
    rejected: Path | None,
    bundle: Path | None,
    offline: tuple[Path, ...],
    at: int | None,
    columns: Columns,
    network_path: Path,
) -> None:
    """Verify who signed RECEIPT, and that the given files match it.

    RECEIPT is what sayso check --receipt wrote: the receipt of one node, or the record of a run.

    The command needs the network file, but no node and no chain. A receipt proves that a check was made
    and what its result was. It does not prove which data a model was trained on.
    """
    manifest = manifests or None
    if rejected and not manifest:
        raise click.UsageError("--rejected needs the --manifest that was checked")
    if offline and not (manifest and rejected and bundle):
        raise click.UsageError("--offline needs --manifest, --rejected and --bundle of that check")
    value, trusted = read_json(path, RECORD_BYTES), load_network(network_path)
    if isinstance(value, dict) and value.get("type") == RECORD:
        record = record_from_json(value)
        columns = _with_bundle(columns, bundle, trusted, question_of(record).query, record.time)
        again = Again(record, trusted, offline, bundle) if offline and bundle else None
        _say_record(record, verify_record(record, trusted, manifest, rejected, columns, again))
        is_signed, since, until = record.judges == NODES, record.time, record.until
    elif offline:
        raise BadProof("this is a node's receipt, not the record of an offline check")
    else:
        signed = receipt_from_json(value)
        query = Query(signed.statement.grantee, signed.statement.purpose)
        columns = _with_bundle(columns, bundle, trusted, query, signed.statement.time)
        _say_receipt(signed, trusted, manifest, rejected, columns)
        is_signed, since, until = True, signed.statement.time, signed.statement.until
    what = "the receipt" if is_signed else "the record, which no node signed,"
    if manifest:
        say(f"{what} is for exactly the rows of the manifest")
    if rejected:
        say(f"{what} states exactly these rejected rows, and granted for every other row")
    if offline:
        say("the snapshots and the consents give the same result for that moment")
    _check_covered(since, until, at)


def _check_covered(since: int, until: int, at: int | None) -> None:
    """Say for how long clear rows could be relied on; raises NotCovered if a run at `at` was not."""
    if until:
        say(f"the clear rows may be relied on until {moment(until)}")
    if at is None:
        return
    if not until:
        raise NotCovered("no run was covered, because no row is clear")
    if at < since:
        raise NotCovered(f"the check was made on {moment(since)}, after a run on {moment(at)}")
    if at > until:
        raise NotCovered(f"not every clear row may be relied on until {moment(at)}")
    say(f"a run on {moment(at)} was covered")


def _with_bundle(
    columns: Columns, bundle: Path | None, trusted: NetworkFile, query: Query, now: float
) -> Columns:
    if bundle is None:
        return columns
    licenses = load_licenses(bundle, trusted.network)
    return replace(columns, find=licenses.finder(query, now))


def _say_record(record: RecordJson, verified: Verified) -> None:
    by = f"receipts signed by {', '.join(verified.signers)}"
    if record.judges != NODES:
        by = "checked offline, no node signed it"
    question = question_of(record)
    say(f"run {record.run_id}, {several(len(record.parts), 'part')}; {by}")
    say(f"asked by {address_text(question.query.grantee)} for {question.query.purpose}")
    heeds = verified.heeds or [question.query.heed or ()]
    for heed in dict.fromkeys(heeds):
        say(heeded(heed))
    say(", ".join(f"{count:,} {reason}" for reason, count in sorted(record.counts.items())))
    for source in verified.sources:
        fields = ", ".join(f"{name} {value}" for name, value in source.items() if name != "counts")
        say(f"source: {fields}")
    if any(part.chain is not UNSET for part in record.parts):
        say("what the buyer read from the chain refuses rows; nobody signed that")


def _say_receipt(
    signed: Signed[Receipt],
    trusted: NetworkFile,
    manifest: Manifest | None,
    rejected: Path | None,
    columns: Columns,
) -> None:
    operator = verify_receipt(signed, trusted, manifest, rejected, columns)
    receipt = signed.statement
    say(f"signed by {operator.name} ({receipt.node_key.hex()}) on {moment(receipt.time)}")
    say(f"asked by {address_text(receipt.grantee)} for {receipt.purpose}, run {receipt.run_id}")
    say(heeded(receipt.heed))
    say(", ".join(f"{count:,} {reason}" for reason, count in receipt.counts))
    say(f"chain {receipt.network.chain_id} read up to block {receipt.block.number}")


@receipt.command(
    epilog=example(
        "sayso receipt compare kept.json receipt.json --revocation stop.sayso \\",
        "  --consents consents.sayso --manifest data.jsonl --rejected why.jsonl --out row.json",
        "sayso receipt compare kept.json receipt.json --revocation stop.sayso \\",
        "  --consents consents.sayso --proof row.json",
    )
)
@click.argument("acknowledgement", type=PATH, metavar="ACK")
@click.argument("path", type=PATH, metavar="RECEIPT")
@path_option("--revocation", "FILE", "The revocation that ACK acknowledges.", required=True)
@path_option("--consents", "FILE", "The consent that was revoked.", required=True)
@path_option("--manifest", "M", "The manifest that was checked.")
@path_option("--rejected", "WHY", "The rejected rows of that check.")
@path_option("--proof", "ROW", "The proof of one row, instead of the manifest and the rejected rows.")
@path_option("--out", "ROW", "Write the proof of the row that was found to this file.")
@network_option
def compare(
    acknowledgement: Path,
    path: Path,
    revocation: Path,
    consents: Path,
    manifest: Path | None,
    rejected: Path | None,
    proof: Path | None,
    out: Path | None,
    network_path: Path,
) -> None:
    """Prove that a node called a row granted after it had acknowledged the row's revocation.

    ACK is the node's acknowledgement of the revocation (sayso submit --acknowledgement), RECEIPT its
    later receipt. With the manifest and the rejected rows, the command searches all granted rows; --out
    then writes the proof of the one row that a third party needs.

    Exit status: 0 misconduct is proven; 1 it is not proven (error [not-proven]), or a file is invalid.
    """
    if (proof is None) == (manifest is None) or (rejected is None) != (manifest is None):
        raise click.UsageError("give --manifest and --rejected, or --proof")
    refuse_existing(out)
    trusted = load_network(network_path)
    files = Files(acknowledgement, path, revocation, consents, manifest, rejected, proof)
    found, row = find_misconduct(files, trusted)
    if out:
        write_file(out, json.dumps(row_proof_to_json(row), indent=2).encode() + b"\n")
    say(f"{found.operator.name} ({found.operator.key.hex()}) broke its promise")
    say(f"  {moment(found.promised_at)}: acknowledged revocation {hex_text(found.revocation)}")
    say(
        f"  {moment(found.granted_at)}: signed receipt {found.sequence}, which calls for {found.purpose}"
    )
    say(f"    item {hex_text(found.row.item)} of license {hex_text(found.row.license)} granted")
