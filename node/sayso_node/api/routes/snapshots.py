"""Snapshots and their deltas as plain files, and the list of them.

A file never changes, so a client may keep it for ever, fetch parts of it, and go on where it was broken
off: ETag, `Range` and `If-Range` as in RFC 9110.
"""

from typing import Final

from aiohttp import web

from sayso_node.api.http.negotiation import ORIGIN
from sayso_node.api.http.route import Route
from sayso_node.api.schema.operations import OCTETS, Operation
from sayso_node.api.schema.values import SnapshotFile, Snapshots
from sayso_node.errors import NotFound, SnapshotsEnded
from sayso_node.snapshots.publishing import SnapshotPublisher
from sayso_node.snapshots.shelf import Published
from sayso_protocol.primitives import hex_text

SNAPSHOTS: Final = Operation(
    "GET", "/v1/snapshots", "snapshots", "Today's snapshot, and its deltas in order.", Snapshots
)
SNAPSHOT: Final = Operation(
    "GET",
    "/v1/snapshots/{name}",
    "snapshot",
    "A snapshot or a delta (rule 13.1); it never changes.",
    statuses={
        200: "Here it is.",
        206: "The part that `Range` asks for.",
        304: "As `If-None-Match` says.",
        416: "It has no such part.",
    },
    offers=(OCTETS,),
)
_FOR_EVER: Final = {"Cache-Control": "public, max-age=31536000, immutable"}


class SnapshotRoutes:
    """Gives snapshots away."""

    def __init__(self, publisher: SnapshotPublisher) -> None:
        self._publisher = publisher

    def routes(self) -> list[Route]:
        """The routes of this file."""
        return [Route(SNAPSHOTS, self.index), Route(SNAPSHOT, self.file)]

    async def index(self, _request: web.Request) -> Snapshots:
        """Today's snapshot and its deltas, in order; none before the first was made."""
        if self._publisher.lost:
            raise SnapshotsEnded("revocations were dropped here without a mark: ask another node")
        return Snapshots([_file(one) for one in self._publisher.shelf.chain])

    async def file(self, request: web.Request) -> web.StreamResponse:
        """One file."""
        path = self._publisher.shelf.find(request.match_info["name"])
        if path is None:
            raise NotFound("there is no such snapshot any more: /v1/snapshots lists today's")
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
        time=head.moment.time,
        as_of=head.moment.as_of,
        expires_at=head.moment.expires_at,
    )
