"""A query holds what the OpenAPI document names for its route, each name once, and nothing else.

A misspelled option must not be answered as if it had not been given.
"""

from functools import lru_cache
from typing import Final

from aiohttp import web
from yarl import URL

from sayso_node.api.http.responses import Handler
from sayso_node.api.schema.openapi import PATHS
from sayso_node.errors import BadRequest


def _named(path: str) -> frozenset[str]:
    """The names that the document gives for a path, whatever the method."""
    parameters = (one for operation in PATHS[path].values() for one in operation.get("parameters", ()))
    return frozenset(one["name"] for one in parameters if one["in"] == "query")


NAMES: Final = {path: _named(path) for path in PATHS}


@web.middleware
async def documented(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse a query that the document does not have; raises BadRequest."""
    text, resource = request.rel_url.raw_query_string, request.match_info.route.resource
    if text and resource is not None:
        _check(resource.canonical, text)
    return await handler(request)


@lru_cache(256)
def _check(path: str, text: str) -> None:
    """Raises BadRequest; what is no path of the document is nothing to us."""
    if (names := NAMES.get(path)) is None:
        return
    asked = list(URL.build(path="/", query_string=text, encoded=True).query)
    if not names.issuperset(asked) or len(asked) != len(set(asked)):
        allowed = f"may have {', '.join(sorted(names))}, each once" if names else "has no query"
        raise BadRequest(f"this route {allowed}")
