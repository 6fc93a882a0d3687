"""One good request for every operation of the OpenAPI document, and sockets that send any bytes.

Bad requests are made from good ones, so that each is wrong in one thing.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, closing
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

import msgpack

from node.api.process import parse
from sayso_node.api.routes.document import operations as all_operations
from sayso_node.api.schema.openapi import Schema, document
from sayso_protocol.messages.envelope import Envelope, encode
from sayso_protocol.messages.kinds import kind_of
from sayso_protocol.messages.typed_data import typed_data
from sayso_protocol.messages.wire import encode_bundle
from sayso_protocol.primitives import address_text, hex_text
from support.holders import LABS, dispute, removal, sublicense, use
from support.node_rig import ManualClock, consent, revocation
from support.protocol_strategies import ADA, BEN, NETWORK
from support.running_node import RunningNode
from support.waiting import DEADLINE_S, until

DOCUMENT: Final = document("0", all_operations())
PATHS: Final = DOCUMENT.paths
COMPONENTS: Final = DOCUMENT.components["schemas"]
JSON, MSGPACK = "application/json", "application/msgpack"
ONE: Final = consent(1, count=3)
STOP: Final = revocation(f"file {hex_text(ONE.items[2])}")
STATED: Final = {
    "sublicense": sublicense(BEN, LABS[0], [ONE.digest]),
    "use": use(BEN, [ONE.digest]),
    "removal": removal(BEN, [ONE.digest]),
    "dispute": dispute(ADA, ONE.items[:1]),
}
LICENSE, ITEM = hex_text(ONE.digest), hex_text(ONE.items[0])
VALUES: Final = {  # for parameters, by name
    "license": LICENSE,
    "item": ITEM,
    "address": address_text(ADA),
    "grantee": address_text(BEN),
    "purpose": "train-ai",
    "max_age_s": "60",
    "root": "0x" + "ab" * 32,
    "digest": hex_text(STOP.digest),
    "statement": hex_text(STATED["use"].digest),
    "hash": LICENSE,
    "kind": "use",
    "name": "1-0.snapshot",
}
STATUS: Final = {  # of good requests, where it is not 200
    "/v1/licenses/{license}/proof": 503,  # there is no chain that proves
    "/v1/revocations/{digest}/receipt-proof": 404,  # nothing is on chain
    "/v1/disputes": 202,  # nobody heeds Ada
    "/v1/batches/{root}": 404,  # nothing is anchored yet
    "/v1/snapshots/{name}": 404,  # none is made yet
}


class Asked(NamedTuple):
    """A request: what is sent, and the status that answers it."""

    method: str
    path: str  # as in the document
    target: str
    kind: str = ""  # of the body
    body: bytes = b""
    status: int = 200

    @property
    def operation(self) -> Schema:
        found: Schema = PATHS[self.path][self.method.lower()]
        return found

    def bytes(self, *lines: str) -> bytes:
        """As it goes over the wire, with more header lines."""
        head = [f"{self.method} {self.target} HTTP/1.1", "Host: node.example", *lines]
        if self.kind:
            head += [f"Content-Type: {self.kind}", f"Content-Length: {len(self.body)}"]
        return "\r\n".join([*head, "", ""]).encode() + (self.body if self.kind else b"")

    def parameters(self, place: str) -> dict[str, Schema]:
        """Those of a place, by name, with their schemas."""
        listed = self.operation.get("parameters", ())
        return {one["name"]: one["schema"] for one in listed if one["in"] == place}


def _fields(envelope: Envelope) -> dict[str, Any]:
    """A message as /v1/consents or /v1/revocations takes it."""
    shown = typed_data(envelope.message, NETWORK)["message"]
    told = {attribute: shown[name] for name, attribute, _ in kind_of(envelope.message).columns}
    del told["notice"]
    if told.pop("content", None):
        name = "hashes" if told.pop("count", None) else "items"
        told[name] = [hex_text(item) for item in envelope.items]
    return told


def _signed(envelope: Envelope) -> dict[str, Any]:
    return {**_fields(envelope), "signature": hex_text(envelope.signature)}


_CHECK: Final = {"purpose": "train-ai", "max_age_s": 60, "run_id": "run 7"}
_AS_JSON: Final = {**_CHECK, "grantee": address_text(BEN), "rows": [[LICENSE, ITEM]]}
_AS_MSGPACK: Final = {**_CHECK, "grantee": BEN, "rows": ONE.digest + ONE.items[0]}
BODIES: Final[dict[tuple[str, str], Any]] = {
    ("/v1/messages", MSGPACK): encode_bundle([encode(ONE), encode(STOP)]),
    ("/v1/consents", JSON): _signed(ONE),
    ("/v1/revocations", JSON): _signed(STOP),
    **{(f"/v1/{kind}s", JSON): _signed(one) for kind, one in STATED.items()},
    **{(f"/v1/typed-data/{kind}", JSON): _fields(one) for kind, one in STATED.items()},
    ("/v1/typed-data/consent", JSON): _fields(ONE),
    ("/v1/typed-data/revocation", JSON): _fields(STOP),
    ("/v1/check", JSON): _AS_JSON,
    ("/v1/check", MSGPACK): msgpack.packb(_AS_MSGPACK),
}


def good() -> Iterator[Asked]:
    """A request for every operation, and for every kind of body that it takes."""
    for path, methods in PATHS.items():
        for method, operation in methods.items():
            plain = Asked(method.upper(), path, _target(path, operation), status=STATUS.get(path, 200))
            kinds = operation.get("requestBody", {"content": {"": None}})["content"]
            for kind in kinds:
                body = BODIES[path, kind] if kind else b""
                as_bytes = body if isinstance(body, bytes) else json.dumps(body).encode()
                yield plain._replace(kind=kind, body=as_bytes)


def _target(path: str, operation: Schema) -> str:
    query = []
    for one in operation.get("parameters", ()):
        if one["in"] == "path":
            path = path.replace(f"{{{one['name']}}}", VALUES[one["name"]])
        elif one["in"] == "query" and one["required"]:
            query.append(f"{one['name']}={VALUES[one['name']]}")
    return path + ("?" + "&".join(query) if query else "")


GOOD: Final = list(good())


def schema_of_body(asked: Asked) -> dict[str, Schema]:
    """The fields of a JSON body."""
    reference: str = asked.operation["requestBody"]["content"][JSON]["schema"]["$ref"]
    fields: dict[str, Schema] = COMPONENTS[reference.rsplit("/", 1)[1]]["properties"]
    return fields


async def send(node: RunningNode, request: bytes) -> bytes:
    """One answer, or its head if it is a stream; what came until the node hung up."""
    place = urlsplit(node.url)
    reader, writer = await asyncio.open_connection(place.hostname, place.port)
    with closing(writer):
        async with asyncio.timeout(DEADLINE_S):
            writer.write(request)
            return await _read(reader)


async def _read(reader: asyncio.StreamReader) -> bytes:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
        lines = dict(line.split(b": ", 1) for line in head.lower().split(b"\r\n")[1:-2])
        if b"text/event-stream" in lines.get(b"content-type", b""):
            return head
        return head + await reader.readexactly(int(lines.get(b"content-length", b"0")))
    except asyncio.IncompleteReadError as error:
        return error.partial
    except ConnectionError:
        return b""


def status_of(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


def outcome(answer: bytes) -> tuple[int, str]:
    """Status and code; no code for what is no refusal, 0 for a node that hung up without a word."""
    if not answer:
        return 0, ""
    status = status_of(answer)
    return parse(answer) if status >= 400 else (status, "")


@asynccontextmanager
async def full_node(
    node: RunningNode, clock: ManualClock, *, is_watched: bool = True
) -> AsyncIterator[Mapping[str, int]]:
    """A node that was asked everything once; meanwhile it answers /healthz, and keeps nothing more."""
    await node.submit(ONE, STOP)
    clock.time += 1
    node.chain.time = clock.time
    node.chain.mine()
    await until(lambda: node.node._freshness.view(clock.now(), 60).silence is None)
    for one in GOOD:
        assert status_of(await send(node, one.bytes())) == one.status, one
    before, ill = node.stored(), list[Any]()
    watch = asyncio.create_task(_watch(node, ill) if is_watched else asyncio.Event().wait())
    try:
        yield before
        assert not watch.done(), "the node stopped answering"
    finally:
        watch.cancel()
        await asyncio.gather(watch, return_exceptions=True)
    assert ill == []
    assert await node.get("/healthz") == (200, {"ok": True})
    assert node.stored() == before


async def _watch(node: RunningNode, ill: list[Any]) -> None:
    """Ask after its health all the time, each time on a new connection."""
    request = b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    while True:
        answer = await send(node, request)
        if not answer.startswith(b"HTTP/1.1 200 "):
            ill.append(answer)
        await asyncio.sleep(0.02)
