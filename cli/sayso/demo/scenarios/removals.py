"""Who confirmed the removal of what was taken back, who owes it, and who is late, as traces say."""

import asyncio
from dataclasses import dataclass
from typing import Any, Final

from sayso.demo.stage import Stage
from sayso_protocol.messages.consent import Consent
from sayso_protocol.messages.message import of_kind
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.primitives import address_from_text, address_text
from sayso_protocol.traces.duties import Standing

_WORST_FIRST: Final = (Standing.LATE, Standing.DUE, Standing.UNDATED, Standing.CONFIRMED)


@dataclass(frozen=True)
class Removals:
    """Removals name the holders of revoked licenses, each once, by the worst of their duties.

    Attributes:
        confirmed: Who confirmed everything.
        due: Who still has time, or whose time no final block has begun yet.
        late: Of whom no confirmation is known, and the time is over.
    """

    confirmed: tuple[str, ...]
    due: tuple[str, ...]
    late: tuple[str, ...]

    def json(self) -> dict[str, Any]:
        """Return the JSON object of `--json`: how many, and who."""
        named = {"confirmed": self.confirmed, "due": self.due, "late": self.late}
        return {name: {"count": len(who), "holders": [*who]} for name, who in named.items()}

    def line(self) -> str:
        """Return what the table says."""
        named = (("confirmed", self.confirmed), ("due", self.due), ("late", self.late))
        return "; ".join(f"{len(who)} {name}" + _names(who) for name, who in named)


def _names(who: tuple[str, ...]) -> str:
    return f" ({', '.join(who)})" if who else ""


async def removals(stage: Stage) -> Removals:
    """Read the traces of all licenses whose contributor or guardian revoked; raises NodeUnreachable."""
    revoked = {one.contributor for _, one in of_kind(stage.sent, Revocation)}
    touched = [
        one.digest for one, consent in of_kind(stage.sent, Consent) if revoked & {*consent.revokers}
    ]
    async with stage.nodes["C"].client(stage.trusted) as client:
        traces = await asyncio.gather(*map(client.trace, touched))
    seen: dict[bytes, set[Standing]] = {}
    for holder in (one for trace in traces for one in trace.holders):
        found = {Standing(duty.standing) for duty in holder.duties}
        seen.setdefault(address_from_text(holder.address), set()).update(found)
    worst = {who: next(one for one in _WORST_FIRST if one in all_) for who, all_ in seen.items() if all_}

    def those(*standings: Standing) -> tuple[str, ...]:
        names = (stage.companies.get(who, address_text(who)) for who in worst if worst[who] in standings)
        return tuple(sorted(names))

    return Removals(
        those(Standing.CONFIRMED), those(Standing.DUE, Standing.UNDATED), those(Standing.LATE)
    )
