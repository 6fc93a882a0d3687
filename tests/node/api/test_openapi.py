"""The document and the node are the same thing twice: its routes, its fields, its refusals."""

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import positive_data_acceptance

from node.api import routes
from node.api.process import HEALTHY, NodeProcess, node_process
from sayso_protocol.messages.envelope import encode
from sayso_protocol.messages.wire import encode_bundle
from support.node_rig import consent, revocation
from support.running_node import RunningNode
from support.waiting import DEADLINE_S

DOCUMENT = msgspec.to_builtins(routes.DOCUMENT)
PAGE = {("GET", "/"), ("GET", "/verify"), ("GET", "/sw.js"), ("GET", "/assets/{name}")}  # for browsers
BUNDLES = [encode_bundle([encode(one)]) for one in (consent(1), consent(2), revocation("everything"))]

schemathesis.openapi.media_type("application/msgpack", st.sampled_from(BUNDLES) | st.binary(max_size=64))
SCHEMA = schemathesis.openapi.from_dict(DOCUMENT).exclude(path="/v1/events")  # it has no end


async def test_every_route_is_in_the_document_and_the_other_way_round(node: RunningNode) -> None:
    status, told = await node.get("/v1/openapi.json")
    assert (status, told["openapi"], told["paths"].keys()) == (200, "3.1.0", DOCUMENT["paths"].keys())
    operations = (one.operation for part in node.node._api._parts() for one in part.routes())
    served = {(one.method, one.path) for one in operations}
    written = {(method.upper(), path) for path, one in told["paths"].items() for method in one}
    assert served - PAGE == written


def test_path_parameters_are_named_as_in_the_path() -> None:
    for path, methods in DOCUMENT["paths"].items():
        for operation in methods.values():
            named = [one["name"] for one in operation.get("parameters", ()) if one["in"] == "path"]
            assert all(f"{{{name}}}" in path for name in named)
            assert path.count("{") == len(named)


def test_operations_have_names_of_their_own() -> None:
    names = [one["operationId"] for methods in DOCUMENT["paths"].values() for one in methods.values()]
    assert len(names) == len(set(names)) == len(DOCUMENT["paths"])


def test_every_component_is_used_and_every_one_used_exists() -> None:
    used = set(_references(DOCUMENT))
    assert used == {f"#/components/schemas/{name}" for name in DOCUMENT["components"]["schemas"]}


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for one in value.values():
            yield from _references(one)
    elif isinstance(value, list):
        for one in value:
            yield from _references(one)


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NodeProcess]:
    with node_process(tmp_path_factory.mktemp("openapi")) as process:
        yield process


@SCHEMA.parametrize()
@settings(
    max_examples=10,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
def test_a_real_node_keeps_to_the_document(case: schemathesis.Case[Any], process: NodeProcess) -> None:
    """Valid and invalid requests made from the document; answers in the forms that it gives.

    What is valid by its form may still break a rule, so that acceptance is not expected. Without a chain
    a proof is refused by 503.
    """
    excluded: list[Any] = [positive_data_acceptance]
    if case.operation.path in {"/v1/licenses/{license}/proof", "/readyz"}:
        excluded.append(not_a_server_error)
    case.call_and_validate(base_url=process.url, excluded_checks=excluded, timeout=DEADLINE_S)


def test_the_node_still_answers(process: NodeProcess) -> None:
    assert process.get("/healthz") == HEALTHY
