"""Finds the route of a request by the segments of its path, and by its method."""

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Final, NoReturn

from aiohttp import web

from sayso_node.api.http.route import Route
from sayso_node.api.schema.operations import Operation
from sayso_node.errors import MethodNotAllowed, NotFound
from sayso_protocol.errors import SaysoError

NOWHERE: Final = Operation("", "", "", "This route does not exist.", query=None)


class _Segment:
    """What may follow a part of a path: fixed texts, or else one parameter."""

    __slots__ = ("name", "parameter", "routes", "texts")

    def __init__(self, name: str = "") -> None:
        self.name = name  # of the parameter that this segment is
        self.texts: dict[str, _Segment] = {}
        self.parameter: _Segment | None = None
        self.routes: dict[str, Route] = {}  # of paths that end here, by method

    def below(self, text: str) -> "_Segment":
        """Return the segment of a text or a `{parameter}` of a route's path, made if it is new."""
        if not text.startswith("{"):
            return self.texts.setdefault(text, _Segment())
        self.parameter = self.parameter or _Segment(text[1:-1])
        if self.parameter.name != text[1:-1]:
            raise ValueError(f"{text} has another name in another route")
        return self.parameter


class RouteTable:
    """Finds routes; a GET route is that of HEAD, too, unless its operation excludes it."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._root = _Segment()
        for route in routes:
            operation, end = route.operation, self._root
            for text in operation.path.split("/"):
                end = end.below(text)
            end.routes[operation.method] = route
            if operation.method == "GET" and operation.has_head:
                end.routes["HEAD"] = route

    def find(self, method: str, path: str) -> tuple[Route, Mapping[str, str]]:
        """Return the route of a decoded path, and its parameters; one that refuses, if there is none."""
        end, place = self._root, {}
        for text in path.split("/"):
            below = end.texts.get(text)
            if below is None:
                below = end.parameter
                if below is None or not text:
                    return _refusing(NotFound("this path does not exist")), {}
                place[below.name] = text
            end = below
        if (route := end.routes.get(method)) is not None:
            return route, place
        if not end.routes:
            return _refusing(NotFound("this path does not exist")), {}
        return _refusing(MethodNotAllowed(end.routes)), {}


def _refusing(error: SaysoError) -> Route:
    return Route(NOWHERE, partial(_refuse, error))


async def _refuse(error: SaysoError, _request: web.BaseRequest) -> NoReturn:
    raise error
