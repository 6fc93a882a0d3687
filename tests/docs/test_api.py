"""docs/reference/api.md is run as it is written, and has an example for every route."""

import re
from collections.abc import Iterator

from docs.as_written import AsWritten, way
from docs.markdown import ROOT
from sayso_node.api.http import bodies, connections
from sayso_node.api.http.responses import HTTP_STATUS
from sayso_node.api.routes import checks, claims, events, licenses, messages
from sayso_node.api.routes.document import operations as all_operations
from sayso_node.api.schema import operations, requests

PAGE = "docs/reference/api.md"
API = (ROOT / PAGE).read_text()
WALK = way(PAGE)
ROUTES = {(one.method, one.path) for one in all_operations()}
CURL = re.compile(r"\bcurl (?P<options>[^|;>]*?)\"?\$NODE(?P<path>/[^\s\"?;|]*)")
LIMITS = (
    messages.BODY_BYTES,
    checks.CHECK_JSON_BYTES,
    checks.BINARY_BYTES,
    operations.JSON_BYTES,
    bodies.HELD_BYTES,
    requests.ROWS,
    licenses.LICENSES,
    claims.CLAIMS,
    connections.HEADERS,
    connections.LINE_BYTES,
    connections.HEAD_S,
    bodies.BODY_STALL_S,
    bodies.BODY_S,
    connections.CONNECTIONS,
    events.STREAMS,
)


class TestApi(AsWritten):
    """Every step, and what is shown behind it."""

    page = PAGE
    tools = ("curl",)


def asked(text: str) -> Iterator[tuple[str, str]]:
    """Method and path of every `curl`, as far as they are written out."""
    for match in CURL.finditer(text.replace("\\\n", " ")):
        takes = re.search(r"--json|--data", match["options"])
        yield "POST" if takes else "GET", match["path"]


def like(written: str, template: str) -> bool:
    """Whether a path with shell variables is one of a route."""
    pattern = re.sub(r"\\\{\w+\\\}", r"\\$\\w+", re.escape(template))
    return re.fullmatch(pattern, written) is not None


def test_every_route_has_an_example() -> None:
    written = set(asked("".join(step.command.text for step in WALK)))
    shown = {
        (method, template)
        for method, path in written
        for other, template in ROUTES
        if method == other and like(path, template)
    }
    assert shown == ROUTES
    assert len(written) == len(ROUTES), "an example of what is no route"


def test_every_route_is_in_the_table() -> None:
    table = set(re.findall(r"\[`(GET|POST) (/\S+)`\]\(#", API))
    assert table == ROUTES


def test_an_example_that_is_missing_would_be_missed() -> None:
    assert list(asked("curl -s $NODE/v1/x")) == [("GET", "/v1/x")]
    assert list(asked('curl -s --json @a "$NODE/v1/x/$Y?z=1" > b')) == [("POST", "/v1/x/$Y")]
    assert like("/v1/x/$Y", "/v1/x/{y}")
    assert not like("/v1/x/$Y/z", "/v1/x/{y}")
    assert not like("/v1/x", "/v1/x/{y}")


def test_every_code_has_its_status() -> None:
    rows = re.findall(r"^\| (`[^|]*`) \| (\d{3}) \|$", API, re.MULTILINE)
    told = {code: int(status) for codes, status in rows for code in re.findall(r"`([a-z-]+)`", codes)}
    assert told == {error.code: status for error, status in HTTP_STATUS.items()}


def test_every_limit_is_told() -> None:
    told = re.search(r"\*\*Limits\.\*\*.*?\n\n", API, re.DOTALL)
    assert told
    numbers = set(re.findall(r"(?<!v)\d[\d,]*\b", told[0]))
    assert {f"{limit:,.0f}" for limit in LIMITS} | {"4,194,304"} == numbers
