"""A node's snapshots over HTTP, from a dictionary; it can lie, break off, and not know ranges."""

from collections.abc import Callable

from aiohttp import web

from sayso_protocol.primitives import hex_text
from sayso_protocol.snapshots.part import Part
from support.fake_node import FakeNode


class SnapshotNode(FakeNode):
    """SnapshotNode gives `files` away, as it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.files: dict[str, Part] = {}
        self.breaks_after: int | None = None
        self.knows_ranges = True
        self.twist_file: Callable[[bytes], bytes] = lambda data: data

    def app(self) -> web.Application:
        app = super().app()
        app.router.add_get("/v1/snapshots", self._index)
        app.router.add_get("/v1/snapshots/{name}", self._file)
        return app

    async def _index(self, _request: web.Request) -> web.Response:
        files = [
            {
                "name": name,
                "id": hex_text(part.head.id),
                "number": number,
                "bytes": len(part.data),
                "keys": part.head.counts.keys,
                "time": part.head.moment.time,
                "as_of": part.head.moment.as_of,
                "expires_at": part.head.moment.expires_at,
            }
            for number, (name, part) in enumerate(self.files.items())
        ]
        return self._answer("snapshots", {"files": files})

    async def _file(self, request: web.Request) -> web.StreamResponse:
        data = self.twist_file(self.files[request.match_info["name"]].data)
        start = request.http_range.start or 0 if self.knows_ranges else 0
        self.asked.append(f"file {start}")
        response = web.StreamResponse(status=206 if start else 200)
        response.content_length = len(data) - start
        await response.prepare(request)
        if self.breaks_after is None:
            await response.write(data[start:])
            return response
        await response.write(data[start : start + self.breaks_after])
        assert request.transport
        request.transport.close()
        return response
