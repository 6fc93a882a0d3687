"""Serves the web page at / and its files at /assets/, as node/web/build.mjs built them into `site/`.

The files are read once and kept compressed. The Content-Security-Policy (W3C CSP 3) lets the page load
and run only its own files and connect only to this node and the other operators of the network file. An
asset's name contains the hash of its content, so its content never changes.
"""

import gzip
from collections.abc import Iterable, Sequence
from hashlib import sha256
from importlib.resources import files
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from aiohttp import ETag, web

from sayso_node.api.http.negotiation import takes_gzip
from sayso_node.api.http.route import PLACE, Route
from sayso_node.api.schema.about import NamedJson
from sayso_node.api.schema.operations import Operation
from sayso_node.errors import NotFound
from sayso_protocol.network_file import Named
from sayso_protocol.primitives import address_text

PAGE: Final = "index.html"
WORKER: Final = (
    "sw.js"  # the page without its node; at the root, because it serves no path above its own
)
VERIFIER: Final = "verify.html"  # of printed proofs; it needs no API
KINDS: Final = {
    "html": "text/html",
    "js": "text/javascript",
    "css": "text/css",
    "svg": "image/svg+xml",
    "txt": "text/plain",
    "webmanifest": "application/manifest+json",
}
FOREVER: Final = "public, max-age=31536000, immutable"
# Routes for browsers: they are not in the API document and have headers of their own.
PAGE_AT: Final = Operation("GET", "/", "page", "The page.", query=None, offers=())
VERIFIER_AT: Final = Operation("GET", "/verify", "verifier", "Its verifier.", query=None, offers=())
WORKER_AT: Final = Operation("GET", "/sw.js", "worker", "Its service worker.", query=None, offers=())
ASSETS_AT: Final = Operation("GET", "/assets/{name}", "asset", "Its files.", query=None, offers=())
ASK: Final = "no-cache"  # caches may keep it, but ask each time


class File(NamedTuple):
    """A file of the site: content, compressed content, media type, entity tag."""

    content: bytes
    packed: bytes
    kind: str
    tag: str


class PageRoutes:
    """Serves the page and its files; `operator_urls` are those of the network file."""

    def __init__(self, operator_urls: Iterable[str]) -> None:
        self._files = read_site()
        self._headers = {
            "Content-Security-Policy": policy(operator_urls),
            "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
            "Referrer-Policy": "no-referrer",
            "Vary": "Accept-Encoding",
            "X-Content-Type-Options": "nosniff",
            "X-Frame-Options": "DENY",  # no other page may frame this one
        }

    def routes(self) -> list[Route]:
        """The routes of this file."""
        return [
            Route(PAGE_AT, self.page),
            Route(VERIFIER_AT, self.verifier),
            Route(WORKER_AT, self.worker),
            Route(ASSETS_AT, self.asset),
        ]

    async def page(self, request: web.BaseRequest) -> web.Response:
        """Answer with the page, which browsers request anew each time."""
        return self._answer(request, self._files[PAGE], ASK)

    async def verifier(self, request: web.BaseRequest) -> web.Response:
        """Answer with the page that verifies a printed proof in the browser."""
        return self._answer(request, self._files[VERIFIER], ASK)

    async def worker(self, request: web.BaseRequest) -> web.Response:
        """Answer with the service worker, by which a browser opens the page without its node."""
        return self._answer(request, self._files[WORKER], ASK)

    async def asset(self, request: web.BaseRequest) -> web.Response:
        """Answer with a script, a style or a language file, which never changes under its name."""
        found = self._files.get(request[PLACE]["name"])
        if found is None or found.kind == KINDS["html"] or found is self._files[WORKER]:
            raise NotFound("the page has no such file; load it again")
        return self._answer(request, found, FOREVER)

    def _answer(self, request: web.BaseRequest, file: File, age: str) -> web.Response:
        known = request.if_none_match or ()
        headers = {**self._headers, "Cache-Control": age}
        if any(one.value in {file.tag, "*"} for one in known):
            response = web.Response(status=304, headers=headers)
        elif takes_gzip(request.headers.get("Accept-Encoding", "")):
            headers["Content-Encoding"] = "gzip"
            response = web.Response(body=file.packed, headers=headers)
        else:
            response = web.Response(body=file.content, headers=headers)
        response.content_type, response.charset = file.kind, "utf-8"
        response.etag = ETag(file.tag, is_weak=True)  # weak: content may be compressed or not
        return response


def listed_names(names: Sequence[Named]) -> list[NamedJson]:
    """Return the names of the network file that people are shown."""
    if not names:
        return []
    # A megabyte of letters that look alike, which a file without names does not need.
    from sayso_node.web.names import shown_names  # noqa: PLC0415

    return [
        NamedJson(address_text(one.address), one.name, one.domain or None, one.role or None)
        for one in shown_names(names)
    ]


def read_site() -> dict[str, File]:
    """Read the built files, by name."""
    return {
        one.name: _file(one.read_bytes(), one.name.rpartition(".")[2])
        for one in files(__package__).joinpath("site").iterdir()
        if one.is_file()
    }


def _file(content: bytes, ending: str) -> File:
    packed = gzip.compress(content, 9, mtime=0)
    return File(content, packed, KINDS[ending], sha256(content).hexdigest()[:32])


def policy(operator_urls: Iterable[str]) -> str:
    """Return the Content-Security-Policy; URLs that are not plain origins are left out."""
    found = {
        f"{url.scheme}://{url.netloc}" for url in map(urlsplit, operator_urls) if _is_origin(url.netloc)
    }
    rules = {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],  # wallets announce their icons as data URLs (EIP-6963)
        "connect-src": ["'self'", *sorted(found)],
        "worker-src": ["'self'"],
        "manifest-src": ["'self'"],
        "base-uri": ["'none'"],
        "form-action": ["'none'"],
        "frame-ancestors": ["'none'"],
    }
    return "; ".join(" ".join([name, *values]) for name, values in rules.items())


def _is_origin(place: str) -> bool:
    return bool(place) and all(char.isalnum() or char in ".-:[]" for char in place)
