"""Snapshots and their deltas as plain files, and the list of them.

A file never changes, so a client may keep it for ever, fetch parts of it, and go on where it was broken
off: ETag, `Range` and `If-Range` as in RFC 9110.
"""

from typing import Any

from aiohttp import web

from sayso_node.api.http.negotiation import ORIGIN
from sayso_node.errors import NotFound, SnapshotsEnded
from sayso_node.snapshots.publishing import SnapshotPublisher
from sayso_node.snapshots.shelf import Published
from sayso_protocol.primitives import hex_text

_FOR_EVER = {"Cache-Control": "public, max-age=31536000, immutable"}


class SnapshotRoutes:
    """Gives snapshots away."""

    def __init__(self, publisher: SnapshotPublisher) -> None:
        self._publisher = publisher

    def routes(self) -> list[web.RouteDef]:
        """The routes of this file."""
        return [
            web.get("/v1/snapshots", self.index),
            web.get("/v1/snapshots/{name}", self.file),
        ]

    async def index(self, _request: web.Request) -> web.Response:
        """Today's snapshot and its deltas, in order; none before the first was made."""
        if self._publisher.lost:
            raise SnapshotsEnded("revocations were dropped here without a mark: ask another node")
        return web.json_response({"files": [_json(one) for one in self._publisher.shelf.chain]})

    async def file(self, request: web.Request) -> web.StreamResponse:
        """One file."""
        path = self._publisher.shelf.find(request.match_info["name"])
        if path is None:
            raise NotFound("there is no such snapshot any more: /v1/snapshots lists today's")
        headers = {**ORIGIN, **_FOR_EVER, "Content-Type": "application/octet-stream"}
        return web.FileResponse(path, headers=headers)


def _json(one: Published) -> dict[str, Any]:
    head = one.head
    return {
        "name": one.path.name,
        "id": hex_text(head.id),
        "number": one.number,
        "bytes": one.size,
        "keys": head.counts.keys,
        "time": head.moment.time,
        "as_of": head.moment.as_of,
        "expires_at": head.moment.expires_at,
    }
