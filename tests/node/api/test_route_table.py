"""Every route is found by its own paths, and what is near them is not."""

from collections.abc import Iterator

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from sayso_node.api.http.route import Result, Route
from sayso_node.api.http.route_table import RouteTable
from sayso_node.api.schema.operations import Operation
from sayso_node.errors import MethodNotAllowed, NotFound

TEXTS = st.text(st.characters(exclude_characters="/{}", codec="utf-8"), min_size=1, max_size=5)
PATHS = (
    *("/", "/v1/things", "/v1/things/{thing}", "/v1/things/{thing}/parts/{part}"),
    *("/v1/things/{thing}/all", "/v1/things/newest", "/a{b"),
)


async def _handle(_request: web.BaseRequest) -> Result:
    raise NotFound("for a test")


def route(method: str, path: str, *, has_head: bool = True) -> Route:
    return Route(Operation(method, path, path, "", has_head=has_head), _handle)


ROUTES = [route("GET", path) for path in PATHS]
TABLE = RouteTable([*ROUTES, route("POST", "/v1/things"), route("GET", "/endless", has_head=False)])


def filled(path: str, values: Iterator[str]) -> tuple[str, dict[str, str]]:
    place = {one[1:-1]: next(values) for one in path.split("/") if one.startswith("{")}
    for name, value in place.items():
        path = path.replace(f"{{{name}}}", value)
    return path, place


async def refusal(method: str, path: str) -> Exception:
    (operation, handler), place = TABLE.find(method, path)
    assert (operation.name, place) == ("", {})
    with pytest.raises((NotFound, MethodNotAllowed)) as caught:
        await handler(None)  # type: ignore[arg-type] # it looks at no request
    return caught.value


@given(st.sampled_from(ROUTES), st.lists(TEXTS, min_size=2, max_size=2))
def test_a_route_is_found_with_its_parameters(one: Route, texts: list[str]) -> None:
    path, place = filled(one.operation.path, iter(f"{text}!" for text in texts))
    for method in ("GET", "HEAD"):
        assert TABLE.find(method, path) == (one, place)


async def test_a_text_goes_before_a_parameter_and_methods_are_told_apart() -> None:
    assert TABLE.find("GET", "/v1/things/newest")[0].operation.path == "/v1/things/newest"
    assert TABLE.find("POST", "/v1/things")[0].operation.method == "POST"
    wrong = await refusal("PUT", "/v1/things")
    assert isinstance(wrong, MethodNotAllowed)
    assert wrong.allowed == "GET, HEAD, POST"
    assert isinstance(await refusal("HEAD", "/endless"), MethodNotAllowed)


@pytest.mark.parametrize(
    "path",
    [
        *("", "*", "v1/things", "/v1", "/v1/", "//v1/things", "/v1/things/", "/v1/things//all"),
        *("/V1/things", "/v1/things/x/y", "/v1/things/x/parts", "example.org:443"),
    ],
)
async def test_what_is_near_a_route_is_no_route(path: str) -> None:
    assert isinstance(await refusal("GET", path), NotFound)


def test_one_place_has_one_name() -> None:
    with pytest.raises(ValueError, match="another name"):
        RouteTable([route("GET", "/x/{one}"), route("GET", "/x/{other}/more")])
