"""Verifying a receipt offline: the network file and the files of the check are all that is needed."""

from pathlib import Path
from typing import Any, Final

from sayso.errors import BadManifest, FileUnreadable
from sayso.manifest import ManifestRow, read_manifest
from sayso_protocol.errors import BadProof, Malformed
from sayso_protocol.json_text import parse_json
from sayso_protocol.network_file import NetworkFile, Operator
from sayso_protocol.receipt_text import receipt_from_json
from sayso_protocol.receipts import Receipt, Signed, check_results, manifest_root
from sayso_protocol.verdict import Reason

# A tuple: what a file says may be unhashable.
NOT_CLEAR: Final = tuple(reason.value for reason in Reason if reason is not Reason.GRANTED)


def read_receipt(path: Path) -> Signed[Receipt]:
    """Read a receipt file; its signature is still to be checked. Raises FileUnreadable, Malformed."""
    try:
        value: Any = parse_json(path.read_bytes())
    except OSError as error:
        raise FileUnreadable(f"cannot read {str(path)!r}: {error.strerror}") from error
    except Malformed as error:
        raise Malformed(f"{str(path)!r} is not JSON") from error
    return receipt_from_json(value)


def verify_receipt(
    signed: Signed[Receipt],
    trusted: NetworkFile,
    manifest: Path | None = None,
    rejected: Path | None = None,
) -> Operator:
    """Who signed a receipt, once everything at hand agrees with it.

    With the manifest, it must be for exactly its rows; with the rejected rows, too, it must state
    exactly these reasons, and `granted` for every other row.

    Raises:
        BadProof: It is for other rows or states other results.
        BadManifest: The rejected rows are not rows of the manifest.
        WrongNetwork: See Signed.check; UnknownSigner and BadSignature likewise.
    """
    # 1. Who signed it, and for which network.
    operator = signed.check(trusted)
    if manifest is None:
        return operator
    # 2. It is for these rows.
    lines = list(read_manifest(manifest))
    rows = [one.row for one in lines]
    if manifest_root(rows) != signed.statement.manifest_root:
        raise BadProof("the receipt was given for other rows than those of the manifest")
    # 3. It states these results.
    if rejected is not None:
        reasons = _reasons(rejected)
        stated = [_reason_of(one, reasons) for one in lines]
        if reasons:
            raise BadManifest(f"{str(rejected)!r} names lines that are no rows: {min(reasons)}")
        check_results(signed.statement, rows, stated)
    return operator


Rejected = dict[int, tuple[ManifestRow, Reason]]  # by the line in the manifest


def _reasons(path: Path) -> Rejected:
    reasons: Rejected = {}
    for one in read_manifest(path, may_be_empty=True):
        line, reason = one.fields.get("line"), one.fields.get("reason")
        if type(line) is not int or line in reasons or reason not in NOT_CLEAR:
            raise BadManifest(f"{str(path)!r}, line {one.line}: not a rejected row")
        reasons[line] = (one, Reason(reason))
    return reasons


def _reason_of(row: ManifestRow, reasons: Rejected) -> Reason:
    """The reason of a row, taken out of the rejected ones; a row that is not there was granted."""
    if row.line not in reasons:
        return Reason.GRANTED
    rejected, reason = reasons.pop(row.line)
    if rejected.row != row.row:
        raise BadManifest(f"line {row.line} of the manifest is another row than the rejected one")
    return reason
