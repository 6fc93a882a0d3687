"""The trace as a picture: the tree of holders, and beside each what happened when, on one timeline.

It shows what has a date. A mark of the same place stands before one of less weight: a removal before a
revocation, that before a use. What the picture cannot show, the tree in words has.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

from rich.table import Table
from rich.text import Text

from sayso.commands.contributor.trace_tree import rows
from sayso.commands.text import moment
from sayso_node.api.schema.traces import HolderJson, TraceJson

TIMELINE_CHARS: Final = 48  # characters of the timeline
HELD, OWED, USED, REVOKED, REMOVED, DUE, LATE = "━", "╌", "●", "✗", "✓", "◇", "!"
_LEGEND: Final = (
    (HELD, "holds it"),
    (OWED, "revoked, not confirmed"),
    (USED, "use"),
    (REVOKED, "revoked"),
    (REMOVED, "removal confirmed"),
    (DUE, "removal due"),
    (LATE, "late"),
)
_STYLES: Final = {
    HELD: "green",
    OWED: "red",
    REVOKED: "red",
    REMOVED: "green",
    DUE: "yellow",
    LATE: "bold red",
}


class _Scale(NamedTuple):
    """_Scale places times; `first` and `last` are seconds since the epoch, at both ends."""

    first: int
    last: int

    def at(self, time: float) -> int:
        """Return the column of a time; those outside stand at the nearer end."""
        part = (time - self.first) / max(1, self.last - self.first)
        return round(min(1.0, max(0.0, part)) * (TIMELINE_CHARS - 1))


def picture(found: TraceJson) -> Table:
    """Return the picture of a trace, for a console of rich."""
    scale = _Scale(found.issued_at, max([found.issued_at, *_dates(found)]))
    table = Table(box=None, pad_edge=False, show_header=True, header_style="")
    table.add_column("holder", no_wrap=True)
    ends = f"{moment(scale.first)[:10]}{moment(scale.last)[:10]:>{TIMELINE_CHARS - 10}}"
    table.add_column(ends, no_wrap=True)
    for text, holder in rows(found):
        if holder is not None:
            table.add_row(Text(_short(text)), _line(found, holder, scale))
    table.add_row("", "")
    for sign, meaning in _LEGEND:
        table.add_row("", Text.assemble((sign, _STYLES.get(sign, "")), f" {meaning}"))
    return table


def _short(text: str) -> str:
    """Shorten the address in a line of the tree to both its ends."""
    guides, _, rest = text.partition("0x")
    address, _, more = rest.partition(" ")
    return f"{guides}0x{address[:6]}...{address[-4:]}" + (f" {more}" if more else "")


def _line(found: TraceJson, holder: HolderJson, scale: _Scale) -> Text:
    begins, ends = _held(found, holder, scale)
    owed, cleared = _owed(holder)
    line = [" "] * TIMELINE_CHARS
    for at in range(scale.at(begins), scale.at(ends) + 1):
        line[at] = HELD
    if owed is not None:
        for at in range(scale.at(owed), TIMELINE_CHARS):
            line[at] = OWED if cleared is None or at < scale.at(cleared) else " "
    for time, sign in sorted(_marks(holder), key=lambda one: _WEIGHT[one[1]]):
        line[scale.at(time)] = sign
    text = Text()
    for one in line:
        text.append(one, _STYLES.get(one, ""))
    return text


_WEIGHT: Final = {sign: at for at, sign in enumerate((USED, DUE, REVOKED, REMOVED, LATE))}


def _held(found: TraceJson, holder: HolderJson, scale: _Scale) -> tuple[float, float]:
    """Return from when until when an address holds the license, as far as the picture goes."""
    begins = [one.issued_at for one in holder.passed_on]
    ends = [one.expires_at for one in holder.passed_on]
    if holder.is_grantee:
        begins.append(found.issued_at)
        ends.append(found.expires_at)
    begin = min(begins, default=found.issued_at)
    return begin, max(begin, min(max(ends, default=scale.last), scale.last))


def _owed(holder: HolderJson) -> tuple[float | None, float | None]:
    """Return since when revoked data is held, and when the last removal was confirmed, if all were."""
    dated = [one.revoked.time for one in holder.duties if one.revoked and one.revoked.time is not None]
    if not dated:
        return None, None
    times = [one.removal.anchored.time if one.removal else None for one in holder.duties]
    known = [one for one in times if one is not None]
    return min(dated), max(known) if len(known) == len(times) else None


def _marks(holder: HolderJson) -> Iterator[tuple[float, str]]:
    for use in holder.uses:
        yield use.used_at, USED
    for duty in holder.duties:
        if duty.revoked and duty.revoked.time is not None:
            yield duty.revoked.time, REVOKED
        if duty.removal and duty.removal.anchored.time is not None:
            yield duty.removal.anchored.time, REMOVED
        elif duty.due is not None and not duty.removal:
            yield duty.due, LATE if duty.standing == "late" else DUE


def _dates(found: TraceJson) -> Iterator[int]:
    """Yield what the timeline has to reach; ends of licenses may lie beyond."""
    if found.final and found.final.time is not None:
        yield found.final.time
    for holder in found.holders:
        yield from (int(time) for time, _ in _marks(holder))
        yield from (one.issued_at for one in holder.passed_on)
