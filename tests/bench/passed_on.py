"""How fast rows are judged that reach their buyer through two sublicenses, beside the grantee's own.

Both questions are about the same million rows of the same store, in one process, so that only the chains
differ.
"""

import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import count, pairwise
from pathlib import Path
from typing import Final

import numpy as np

from bench.consents import ISSUED_AT, consent
from bench.figure import Figure, rates
from sayso_node.store import many
from sayso_node.store.interface import Writing
from sayso_node.store.statements.sublicenses import SublicenseTerms
from sayso_node.verdicts.judge import Check
from sayso_protocol.encoding.row_tree import ROW_BYTES
from sayso_protocol.limits import LIMITS
from sayso_protocol.messages.consent import Consent
from sayso_protocol.messages.envelope import encode
from sayso_protocol.messages.message import CONSENT, as_kind
from sayso_protocol.messages.statements.sublicense import NO_PARENT
from sayso_protocol.primitives import sha256
from sayso_protocol.verdicts.query import Query
from sayso_protocol.verdicts.verdict import Reason
from support.filled_store import change_store
from support.node_rig import ManualClock, NodeRig
from support.passed_rows import GRANTS, pass_on

ROWS: Final = 1_000_000
LICENSES: Final = (1_000, 100_000)
PURPOSE: Final = "train-ai"
EXPIRES_AT: Final = ISSUED_AT + 31_536_000
HOLDERS: Final = [
    sha256(b"holder %d" % at)[:20] for at in range(3)
]  # the grantee, a reseller, the buyer
INSERT: Final = "INTO messages (digest, kind, contributor, body, arrived_at)"


def figures() -> Iterator[Figure]:
    """verdict.passed_on_per_core.*"""
    for licenses in LICENSES:
        with tempfile.TemporaryDirectory() as folder:
            yield _measure(Path(folder), licenses)


def _measure(folder: Path, licenses: int) -> Figure:
    rows = bytearray()
    change_store(str(folder / "rig.sqlite"), lambda db: _fill(db, rows, licenses))
    with NodeRig(folder, clock=ManualClock(ISSUED_AT + 60.0)) as rig:
        rig.be_current()
        order = np.random.default_rng(1).permutation(ROWS)
        joined = np.frombuffer(rows, np.uint8).reshape(ROWS, ROW_BYTES)[order].tobytes()

        def judge(buyer: bytes) -> int:
            answer = rig.judge.judge(Check(Query(buyer, PURPOSE), 3_600, "bench", joined))
            if answer.reasons.count(Reason.GRANTED.number) != ROWS:
                raise AssertionError("a row was judged wrongly")
            return ROWS

        judge(HOLDERS[0])  # the licenses are in memory from now on
        seen = rates({"own": lambda: judge(HOLDERS[0]), "passed on": lambda: judge(HOLDERS[2])})
    name = f"verdict.passed_on_per_core.over_{licenses}"
    limit = f"{ROWS:,} rows over {licenses:,} licenses, of which {LIMITS.hashes:,} a sublicense"
    return Figure(name, seen["passed on"], "rows/s", "higher", {"the grantee's own": seen["own"]}, limit)


def _fill(db: Writing, rows: bytearray, licenses: int) -> None:
    """Licenses to the first holder, each passed on to the second, and by that one to the third."""
    items = ROWS // licenses
    some = consent(0, items)
    terms = replace(
        as_kind(some.message, Consent),
        grantee=HOLDERS[0],
        purposes=("resale", PURPOSE),
        issued_at=ISSUED_AT,
        expires_at=EXPIRES_AT,
    )
    body = encode(replace(some, message=terms))
    names, grants = [], []
    for number in range(licenses):
        who = sha256(b"%d" % number)[:20]
        own = [sha256(b"%d/%d" % (number, at)) for at in range(items)]
        mine = body.replace(terms.contributor, who)
        mine = mine.replace(b"".join(_packed(some.items)), b"".join(_packed(own)))
        names.append(sha256(mine))
        many.insert(db, INSERT, [(names[-1], CONSENT, who, mine, 0.0)])
        grants.append((names[-1], number + 1, HOLDERS[0], who))
        rows += b"".join(names[-1] + item for item in own)
    many.insert(db, GRANTS, grants)
    numbers = count(licenses + 1)
    for start in range(0, licenses, LIMITS.hashes):
        few, parent = names[start : start + LIMITS.hashes], NO_PARENT
        for depth, (signer, grantee) in enumerate(pairwise(HOLDERS), 1):
            digest = sha256(b"sublicense %d %d" % (start, depth))
            span = (ISSUED_AT, EXPIRES_AT, 0.0)
            purposes = "resale", PURPOSE
            one = SublicenseTerms(digest, parent, signer, grantee, purposes, *span, next(numbers))
            pass_on(db, one, few, depth)
            parent = digest


def _packed(items: Iterable[bytes]) -> Iterator[bytes]:
    return (b"\xc4\x20" + item for item in items)
