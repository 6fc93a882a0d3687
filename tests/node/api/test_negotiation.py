"""Forms, sizes, ages and origins: what a client may want of an answer beyond its content."""

import gzip
import json
from typing import Any

import aiohttp
import msgpack
import pytest

from sayso_node.api.http.negotiation import COMPRESS_BYTES, choose, takes_gzip
from sayso_node.api.schema.operations import MEDIA_TYPES
from sayso_protocol.primitives import address_text, hex_text
from support.node_rig import consent, revocation
from support.protocol_strategies import ADA
from support.running_node import MSGPACK, RunningNode

OF_ADA = f"/v1/contributors/{address_text(ADA)}/licenses"
JSON, PACKED = MEDIA_TYPES


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        ("", JSON),
        ("*/*", JSON),
        ("application/*", JSON),
        ("application/msgpack", PACKED),
        ("application/msgpack, application/json;q=0.9", PACKED),
        ("application/json;q=0.1, application/msgpack;q=0.2", PACKED),
        ("application/msgpack, application/json", JSON),
        ("text/html, */*;q=0.1", JSON),
        ("application/json;q=0, */*", PACKED),
        ("Application/JSON", JSON),
        ("text/html", None),
        ("application/json;q=0", None),
        ("application/json;q=nan", None),
        ("application/json;q=-1", None),
        (",;,=;q", None),
    ],
)
def test_the_form_a_client_likes_best(accept: str, form: str | None) -> None:
    assert choose(accept, MEDIA_TYPES) == form


@pytest.mark.parametrize(
    ("accept", "taken"),
    [
        ("", False),
        ("gzip", True),
        ("gzip;q=0", False),
        ("*", True),
        ("br, deflate", False),
        ("x-gzip", False),
    ],
)
def test_who_takes_gzip(accept: str, taken: bool) -> None:
    assert takes_gzip(accept) is taken


@pytest.mark.parametrize(
    "path", ["/v1/node", "/v1/peers", OF_ADA, f"/v1/licenses/{hex_text(consent(1).digest)}", "/readyz"]
)
async def test_the_same_in_both_forms(node: RunningNode, path: str) -> None:
    await node.submit(consent(1))
    answers = []
    for accept in MEDIA_TYPES:
        async with node.http.get(node.url + path, headers={"Accept": accept}) as response:
            assert response.content_type == accept
            body = await response.read()
            answers.append(json.loads(body) if accept == JSON else msgpack.unpackb(body))
    for answer in answers:
        answer.pop("block", None)  # the chain goes on
        answer.pop("counters", None)
    assert answers[0] == answers[1]


async def test_a_refusal_is_in_the_form_that_was_asked_for(node: RunningNode) -> None:
    async with node.http.get(node.url + "/v1/nothing", headers={"Accept": PACKED}) as response:
        assert (response.status, response.content_type) == (404, PACKED)
        assert msgpack.unpackb(await response.read())["error"]["code"] == "not-found"


async def test_nothing_is_done_whose_outcome_could_not_be_told(node: RunningNode) -> None:
    headers = {**MSGPACK, "Accept": "text/html"}
    status, body = await node.ask("POST", "/v1/messages", data=b"", headers=headers)
    assert (status, body["error"]["code"]) == (406, "not-acceptable")
    for path in ("/metrics", "/v1/events", OF_ADA):
        status, body = await node.ask("GET", path, headers={"Accept": "image/png"})
        assert (status, body["error"]["code"]) == (406, "not-acceptable")
    assert node.stored()["messages"] == 0


async def test_what_has_not_changed_is_not_sent_again(node: RunningNode) -> None:
    await node.submit(consent(1))
    async with node.http.get(node.url + OF_ADA) as first:
        tag = first.headers["ETag"]
        assert first.headers["Cache-Control"] == "no-cache"
    for known in (tag, f'"other", {tag}', "*", tag.removeprefix("W/")):
        async with node.http.get(node.url + OF_ADA, headers={"If-None-Match": known}) as again:
            assert (again.status, again.headers["ETag"], await again.read()) == (304, tag, b"")
            assert again.headers["Access-Control-Allow-Origin"] == "*"
    await node.submit(consent(2))
    async with node.http.get(node.url + OF_ADA, headers={"If-None-Match": tag}) as changed:
        assert changed.status == 200
        assert changed.headers["ETag"] != tag


async def test_a_refusal_and_a_post_have_no_tag(node: RunningNode) -> None:
    async with node.http.get(node.url + "/v1/nothing", headers={"If-None-Match": "*"}) as response:
        assert (response.status, "ETag" in response.headers) == (404, False)
    async with node.http.post(node.url + "/v1/messages", headers={"If-None-Match": "*"}) as response:
        assert (response.status, "ETag" in response.headers) == (415, False)


async def test_long_answers_are_packed_for_those_who_take_it(node: RunningNode) -> None:
    await node.submit(consent(1, count=200))
    url = f"{node.url}/v1/licenses/{hex_text(consent(1, count=200).digest)}"
    async with aiohttp.ClientSession(auto_decompress=False) as raw:
        answers = []
        for accept in ("gzip", "identity"):
            async with raw.get(url, headers={"Accept-Encoding": accept}) as response:
                packed = response.headers.get("Content-Encoding") == "gzip"
                assert packed == (accept == "gzip")
                assert "Accept-Encoding" in response.headers["Vary"]
                body = await response.read()
                answers.append(gzip.decompress(body) if packed else body)
        assert answers[0] == answers[1]
        assert len(answers[0]) > COMPRESS_BYTES
        async with raw.get(f"{node.url}/healthz", headers={"Accept-Encoding": "gzip"}) as response:
            assert "Content-Encoding" not in response.headers


async def test_a_packed_request_is_unpacked(node: RunningNode) -> None:
    fields = {"contributor": address_text(ADA), "scopes": ["everything"]}
    headers = {"Content-Type": JSON, "Content-Encoding": "gzip"}
    data = gzip.compress(json.dumps(fields).encode())
    status, body = await node.ask("POST", "/v1/typed-data/revocation", data=data, headers=headers)
    assert (status, body["digest"]) == (200, hex_text(revocation("everything").digest))


@pytest.mark.parametrize("encoding", ["br", "zstd", "compress", "gzip, gzip", "x"])
async def test_other_encodings_are_refused(node: RunningNode, encoding: str) -> None:
    headers = {"Content-Type": JSON, "Content-Encoding": encoding}
    status, body = await node.ask("POST", "/v1/typed-data/revocation", data=b"{}", headers=headers)
    assert (status, body["error"]["code"]) in {(415, "unsupported-media-type"), (400, "bad-request")}


async def test_any_page_may_ask(node: RunningNode) -> None:
    asking: dict[str, Any] = {
        "Origin": "https://page.example",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type",
    }
    async with node.http.options(node.url + "/v1/revocations", headers=asking) as response:
        assert response.status == 204
        assert response.headers["Access-Control-Allow-Origin"] == "*"
        assert "POST" in response.headers["Access-Control-Allow-Methods"]
        assert "Content-Type" in response.headers["Access-Control-Allow-Headers"]
        assert "Access-Control-Allow-Credentials" not in response.headers
    for method, path in (("GET", "/v1/node"), ("POST", "/v1/revocations"), ("GET", "/v1/nothing")):
        async with node.http.request(method, node.url + path, headers=asking) as response:
            assert response.headers["Access-Control-Allow-Origin"] == "*"


async def test_a_plain_options_is_a_method_like_another(node: RunningNode) -> None:
    async with node.http.options(node.url + "/v1/node") as response:
        assert (response.status, response.headers["Allow"]) == (405, "GET, HEAD")
