"""The trace in words: a tree of holders, each below the one from whom it holds the license."""

from collections.abc import Iterator
from typing import Final

from sayso.commands.text import moment, several
from sayso_node.api.schema.traces import BlockJson, DisputedJson, DutyJson, HolderJson, TraceJson
from sayso_protocol.limits import LIMITS
from sayso_protocol.primitives import NOBODY, address_text

Dated = tuple[float, str]  # seconds since the epoch; infinite for what has no date
_NO_DATE: Final = float("inf")
_ANYBODY: Final = address_text(NOBODY)


def heading(found: TraceJson, url: str) -> Iterator[str]:
    """Yield the lines about the license itself."""
    to = "anyone" if found.grantee == _ANYBODY else found.grantee
    yield f"license {found.license}"
    yield f"  {several(found.items, 'file')} of {found.contributor}, to {to}"
    yield f"  for {', '.join(found.purposes)}; {moment(found.issued_at)} to {moment(found.expires_at)}"
    yield f"  anchored: {_at(found.anchored)}; first seen by this node: {moment(found.first_seen)}"
    yield f"  as {url} knows it, by block {_at(found.final)}"
    for one in found.disputes:
        yield f"  {_disputed(one)}"
    if not found.holders:
        yield "  nobody has stated to hold it"


def _disputed(one: DisputedJson) -> str:
    what = "a file" if one.subject == "files" else "a contributor"
    ended = "; withdrawn since" if one.withdrawn else ""
    dates = f"{moment(one.issued_at)} to {moment(one.expires_at)}"
    return f"{what} is disputed ({one.code}) by {one.signer}, {dates}{ended}"


def tree(found: TraceJson) -> Iterator[str]:
    """Yield the lines of all holders, each below the one from whom it holds the license."""
    return (text for text, _ in rows(found))


Line = tuple[str, HolderJson | None]


def rows(found: TraceJson) -> Iterator[Line]:
    """Yield the same lines; that of a holder's address with the holder."""
    holders = {one.address: one for one in found.holders}
    below: dict[str | None, list[HolderJson]] = {}
    for one in found.holders:
        signer = None if one.is_grantee or not one.passed_on else one.passed_on[0].signer
        below.setdefault(signer if signer in holders else None, []).append(one)
    shown = set[str]()
    # Two who passed the license on to each other stand below nobody.
    for one in [*below.get(None, ()), *found.holders]:
        if one.address not in shown:
            yield from _branch(one, below, shown, 0)


def _branch(
    holder: HolderJson, below: dict[str | None, list[HolderJson]], shown: set[str], depth: int
) -> Iterator[Line]:
    shown.add(holder.address)
    # A chain is no longer by the rules; what a node says of deeper ones stands beside it.
    under = [one for one in below.get(holder.address, ()) if one.address not in shown]
    under = under if depth < LIMITS.depth else []
    yield f"{holder.address} (grantee)" if holder.is_grantee else holder.address, holder
    for _, text in sorted(history(holder), key=_date):
        yield f"{'│' if under else ' '} {text}", None
    for at, one in enumerate(under):
        first, rest = ("└─ ", "   ") if at == len(under) - 1 else ("├─ ", "│  ")
        for number, (text, whose) in enumerate(_branch(one, below, shown, depth + 1)):
            yield (rest if number else first) + text, whose


def _date(one: Dated) -> float:
    return one[0]


def history(holder: HolderJson) -> Iterator[Dated]:
    """Yield what is known of a holder, with its date."""
    for passed in holder.passed_on:
        what = f"got it for {', '.join(passed.purposes)} until {moment(passed.expires_at)}"
        ended = "; withdrawn since" if passed.withdrawn else ""
        yield passed.issued_at, f"{moment(passed.issued_at)}  {what}, from {passed.signer}{ended}"
    for use in holder.uses:
        run = f" in run {use.run}" if use.run else ""
        ended = "; withdrawn since" if use.withdrawn else ""
        yield use.used_at, f"{moment(use.used_at)}  used it for {use.purpose}{run}{ended}"
    if holder.more_uses:
        yield _NO_DATE, "more uses are not shown"
    if not holder.uses:
        yield _NO_DATE, "no use stated"
    for duty in holder.duties:
        yield from _owed(duty)


def _owed(duty: DutyJson) -> Iterator[Dated]:
    taken = f"{several(duty.items, 'file')} for {', '.join(duty.purposes)} ({', '.join(duty.by)})"
    revoked = duty.revoked.time if duty.revoked else None
    when = "not dated yet" if revoked is None else moment(revoked)
    place = f" in block {duty.revoked.number}" if duty.revoked else ""
    yield _NO_DATE if revoked is None else revoked, f"{when}  revoked{place}: {taken}"
    last = _NO_DATE
    if duty.removal:
        at = duty.removal.anchored
        date = "not dated yet" if at.time is None else moment(at.time)
        yield (
            last if at.time is None else at.time,
            f"{date}  removal confirmed, as of block {duty.removal.as_of_block}",
        )
    elif duty.standing == "undated":
        yield last, "removal due, undated: no final block dates the revocation"
    elif duty.due is not None:
        late = "; late: no confirmation known to this node" if duty.standing == "late" else ""
        yield duty.due, f"{moment(duty.due)}  removal due{late}"


def _at(block: BlockJson | None) -> str:
    if block is None:
        return "none yet"
    return f"{block.number}" if block.time is None else f"{block.number}, {moment(block.time)}"
