"""The state of the tour: the stage, and the people who license a folder and sell a song."""

from dataclasses import dataclass, field

from sayso.demo.stage import Stage
from sayso.demo.tour.people import People, Sale
from sayso.node_client.answers import CheckAnswer
from sayso_protocol.messages.envelope import Envelope
from sayso_protocol.verdicts.verdict import Reason, Row


@dataclass
class Tour(Stage):
    """Tour is the stage of `sayso demo` without a scenario."""

    people: People = field(default_factory=People)
    sale: Sale = field(default_factory=Sale)
    consents: list[Envelope] = field(default_factory=list)
    chosen: list[bytes] = field(default_factory=list)  # the items revoked by signature

    async def ask(self, node: str, purpose: str, rows: list[Row] | None = None) -> CheckAnswer:
        """Check the manifest, or some rows, at one node, and verify the receipt."""
        rows = rows or [one.row for one in self.people.manifest]
        return await self.check(node, self.people.query(purpose), rows)

    async def refused(self, node: str, purpose: str) -> set[int] | None:
        """Return the indices of the revoked rows; None if a row has any other reason."""
        reasons = (await self.ask(node, purpose)).reasons
        if set(reasons) <= {Reason.GRANTED, Reason.REVOKED}:
            return {index for index, reason in enumerate(reasons) if reason is Reason.REVOKED}
        return None
