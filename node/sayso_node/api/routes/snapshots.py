"""Snapshots and their deltas as files, and the list of them.

A file never changes, so a client may cache it, fetch parts of it and resume a broken download: ETag,
`Range` and `If-Range` work as in RFC 9110.
"""

from typing import Final

from aiohttp import web

from sayso_node.api.http.negotiation import ORIGIN
from sayso_node.api.http.route import PLACE, Route
from sayso_node.api.schema.operations import OCTETS, Operation
from sayso_node.api.schema.values import SnapshotFile, Snapshots
from sayso_node.errors import NotFound
from sayso_node.snapshots.shelf import Published, SnapshotShelf
from sayso_protocol.primitives import hex_text
from sayso_protocol.receipts.json_values import texts_of

SNAPSHOTS: Final = Operation(
    "GET", "/v1/snapshots", "snapshots", "The current snapshot, and its deltas in order.", Snapshots
)
SNAPSHOT: Final = Operation(
    "GET",
    "/v1/snapshots/{name}",
    "snapshot",
    "A snapshot or a delta (rule 13.1); it never changes.",
    statuses={
        200: "Here it is.",
        206: "The part that `Range` names.",
        304: "The file is as `If-None-Match` states.",
        416: "The file has no such part.",
    },
    offers=(OCTETS,),
)
_FOR_EVER: Final = {"Cache-Control": "public, max-age=31536000, immutable"}


class SnapshotRoutes:
    """Serves snapshots."""

    def __init__(self, shelf: SnapshotShelf | None) -> None:
        """Serve the files of a shelf; None in a process beside a node, which makes none."""
        self._files = shelf

    def routes(self) -> list[Route]:
        """The routes of this file."""
        return [Route(SNAPSHOTS, self.index), Route(SNAPSHOT, self.file)]

    def _shelf(self) -> SnapshotShelf:
        if self._files is None:
            raise NotFound("this process makes no snapshots: ask the node beside which it runs")
        return self._files

    async def index(self, _request: web.BaseRequest) -> Snapshots:
        """Return the current snapshot and its deltas, in order; empty before the first snapshot."""
        return Snapshots([_file(one) for one in self._shelf().chain])

    async def file(self, request: web.BaseRequest) -> web.StreamResponse:
        """Return one file."""
        path = self._shelf().find(request[PLACE]["name"])
        if path is None:
            raise NotFound(
                "this snapshot is not available any more; /v1/snapshots lists the current one"
            )
        headers = {**ORIGIN, **_FOR_EVER, "Content-Type": OCTETS}
        return web.FileResponse(path, headers=headers)


def _file(one: Published) -> SnapshotFile:
    head = one.head
    return SnapshotFile(
        name=one.path.name,
        id=hex_text(head.id),
        number=one.number,
        bytes=one.size,
        keys=head.counts.keys,
        **texts_of(SnapshotFile, head.moment),
    )
