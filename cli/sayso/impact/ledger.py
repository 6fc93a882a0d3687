"""The ledger: for each license that a revocation touches, where its data is, what is owed, by when.

An entry is a data-subject request in the terms of privacy offices: an outcome (`deleted`, `exempt`,
`opted-out`, `not-found`), empty while there is none, and a status (`open`, `in-progress`, `fulfilled`,
`denied`). A removal that is signed and anchored makes it `deleted`; the node computes what is due
(section 15). Without a date from the chain, the days count from when the revocation was heard.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from msgspec import Struct

from sayso.impact.runs import Run
from sayso_node.api.schema.traces import DutyJson, TraceJson
from sayso_protocol.encoding.row_tree import ROW_BYTES
from sayso_protocol.permissions.words import Masks
from sayso_protocol.primitives import address_text, hex_text
from sayso_protocol.verdicts.covering import RESALE
from sayso_protocol.verdicts.known_bits import HeldBits
from sayso_protocol.verdicts.query import Query
from sayso_protocol.verdicts.verdict import License, is_revoked

Outcome = Literal["", "deleted", "exempt", "opted-out", "not-found"]
Status = Literal["open", "in-progress", "fulfilled", "denied"]
DAY_S: Final = 86_400


@dataclass
class Revoked:
    """Revoked holds the bits that people took back, and when each person was first heard.

    Attributes:
        bits: The bits, by address.
        since: When each address's revocation was first heard, seconds since the epoch.
    """

    bits: HeldBits = field(default_factory=HeldBits)
    since: dict[bytes, float] = field(default_factory=dict)

    def add(self, address: bytes, heard: Masks, time: float) -> None:
        """Add bits of an address, heard at a time."""
        self.bits.add(address, heard)
        self.since[address] = min(time, self.since.get(address, time))


class Request(Struct):
    """Request is a line of the ledger: one person, one license; times are seconds since the epoch.

    Attributes:
        contributor: Who licensed the data; who revoked, if nothing was found.
        revoked: When the revocation was dated by the chain, or first heard.
        outcome: What was done.
        status: How far that is.
        license: Its hash; empty if nothing of the contributor's was found.
        purposes: The purposes of runs whose rows are touched, and `resale` if it was taken back.
        items: How many of its items are touched.
        data_sets: The data sets that hold them.
        runs: The runs that used them.
        customers: Whom we passed the license on to.
        due: When the removal has to be confirmed, if it has.
        late: Whether that is over.
        removal: Digest of the statement that confirms the removal, if any.
        note: The reason of an exemption.
    """

    contributor: str
    revoked: int
    outcome: Outcome
    status: Status
    license: str = ""
    purposes: list[str] = []
    items: int = 0
    data_sets: list[str] = []
    runs: list[str] = []
    customers: list[str] = []
    due: int | None = None
    late: bool = False
    removal: str = ""
    note: str = ""

    @property
    def is_open(self) -> bool:
        """Return whether there is something left to do."""
        return self.status in ("open", "in-progress")


@dataclass
class Touched:
    """Touched holds what a revocation touches of one license."""

    purposes: set[str] = field(default_factory=set)
    items: set[bytes] = field(default_factory=set)
    data_sets: set[str] = field(default_factory=set)
    runs: set[str] = field(default_factory=set)


def touched(
    runs: Iterable[Run], revoked: Revoked, licenses: Mapping[bytes, License]
) -> dict[bytes, Touched]:
    """Return by license what revocations touch of the rows of some runs.

    A row counts if the bits cover it for the purpose of its run, or for `resale`, for whoever asked.
    """
    found: dict[bytes, Touched] = {}
    for run in runs:
        rows = {run.rows[at : at + ROW_BYTES] for at in range(0, len(run.rows), ROW_BYTES)}
        for row in rows:
            held = licenses.get(row[:32])
            if held is None or not revoked.since.keys() & set(held.consent.revokers):
                continue
            item = row[32:]
            if held.position_of(item) is None:
                continue  # it was never clear
            wanted = [run.purpose, *({RESALE} & {*held.consent.purposes} - {run.purpose})]
            purposes = [
                one for one in wanted if is_revoked(revoked.bits, held, item, Query(run.grantee, one))
            ]
            if purposes:
                one = found.setdefault(row[:32], Touched())
                one.purposes.update(purposes)
                one.items.add(item)
                one.data_sets.add(run.data)
                one.runs.add(run.name)
    return found


@dataclass(frozen=True)
class Circumstances:
    """Circumstances are what decides an entry besides what is touched.

    Attributes:
        ours: Our addresses.
        exempt: Reasons of exemptions, by license.
        now: Seconds since the epoch.
    """

    ours: frozenset[str]
    exempt: Mapping[bytes, str]
    now: float


def entry(
    name: bytes,
    found: Touched,
    held: License,
    heard: float,
    trace: TraceJson | None,
    at: Circumstances,
) -> Request:
    """Return the line of a license; `trace` is None if the node does not hold it."""
    duties = _duties(trace, at.ours)
    dated = [one.revoked.time for one in duties if one.revoked and one.revoked.time is not None]
    revoked = min(dated, default=int(heard))
    outcome, status = _result(name, found, duties, at)
    open_ = status in ("open", "in-progress")
    waits = [one.due for one in duties if one.standing in ("due", "late") and one.due is not None]
    due = min(waits, default=revoked + held.consent.removal_days * DAY_S) if open_ else None
    removals = [one.removal.digest for one in duties if one.removal]
    return Request(
        address_text(held.consent.contributor),
        revoked,
        outcome,
        status,
        license=hex_text(name),
        purposes=sorted(found.purposes),
        items=len(found.items),
        data_sets=sorted(found.data_sets),
        runs=sorted(found.runs),
        customers=_customers(trace, at.ours),
        due=due,
        late=due is not None and due < at.now,
        removal=removals[-1] if removals else "",
        note=at.exempt.get(name, ""),
    )


def nothing_found(address: bytes, heard: float) -> Request:
    """Return the line of somebody of whose data nothing is in the records."""
    who = address_text(address)
    return Request(who, int(heard), "not-found", "fulfilled")


def _result(
    name: bytes, found: Touched, duties: Sequence[DutyJson], at: Circumstances
) -> tuple[Outcome, Status]:
    if name in at.exempt:
        return "exempt", "denied"
    confirmed = [one for one in duties if one.standing == "confirmed"]
    is_done = len(confirmed) == len(duties)
    status: Status = "fulfilled" if is_done else "in-progress" if confirmed else "open"
    if found.purposes == {RESALE}:  # it is passed on no more, and may be used
        return "opted-out", status
    if duties and is_done:
        return "deleted", status
    return "", "open" if is_done else status


def _duties(trace: TraceJson | None, ours: Collection[str]) -> list[DutyJson]:
    holders = trace.holders if trace else ()
    return [duty for one in holders if one.address in ours for duty in one.duties]


def _customers(trace: TraceJson | None, ours: Collection[str]) -> list[str]:
    holders = trace.holders if trace else ()
    return [one.address for one in holders if any(passed.signer in ours for passed in one.passed_on)]
