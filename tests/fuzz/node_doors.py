"""The doors of a node: bodies and queries of every route, peers, the gossip process, chain endpoints."""

import gzip
import json
from collections.abc import Callable
from functools import partial
from typing import Any, Final

import trio

from fuzz.target import Target
from node.api.routes import BODIES
from sayso_node.api.http.bodies import value_of
from sayso_node.api.http.inflating import Inflater
from sayso_node.api.http.queries import check_query
from sayso_node.api.routes.checks import read_check, read_packed_check
from sayso_node.api.routes.document import operations
from sayso_node.api.routes.messages import BODY_BYTES
from sayso_node.api.routes.status import _read_query
from sayso_node.api.schema.message_json import FORMS
from sayso_node.api.schema.operations import JSON, MSGPACK, Operation
from sayso_node.batches.fetcher import read_batch
from sayso_node.batches.protocol import read_answer
from sayso_node.chain.proofs.storage_proofs import _checked
from sayso_node.chain.rpc.raw_blocks import (
    _FIELDS,
    encode_header,
    encode_receipt,
    encode_transaction,
)
from sayso_node.errors import BadRequest
from sayso_node.gossip.host.websocket import UpgradeRefused, accept_upgrade
from sayso_node.gossip.ipc import frames
from sayso_node.gossip.peers import discovery
from sayso_node.gossip.peers.network_groups import parse_told
from sayso_protocol.encoding.json_text import parse_json
from sayso_protocol.encoding.packing import pack
from sayso_protocol.errors import Malformed, SaysoError
from sayso_protocol.ethereum.batches import Batch
from sayso_protocol.messages.envelope import decode_all
from sayso_protocol.messages.wire import decode_bundle
from sayso_protocol.primitives import address_text, hash_from_text, hex_text
from sayso_protocol.signatures.wallet_forms import read_signature
from sayso_protocol.sync import answers
from support.protocol_strategies import BEN, NETWORK

BATCH: Final = Batch(bytes(32), (b"\1" * 32, b"\2" * 32))
PEER: Final = "12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp"
ADDRESS: Final = f"/ip4/192.0.2.1/tcp/4001/p2p/{PEER}"
UPGRADE: Final = (
    b"GET / HTTP/1.1\r\nHost: node.example\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
PROOF: Final = {
    "accountProof": ["0xc0"],
    "balance": "0x0",
    "nonce": "0x1",
    "codeHash": "0x" + "11" * 32,
    "storageHash": "0x" + "22" * 32,
    "storageProof": [{"key": "0x0", "value": "0x1", "proof": ["0xc0"]}],
}
BLOCK: Final = dict.fromkeys((name for name, _ in _FIELDS), "0x12")
RECEIPT: Final = {
    "type": "0x2",
    "status": "0x1",
    "cumulativeGasUsed": "0x5208",
    "logsBloom": "0x00",
    "logs": [{"address": "0x12", "topics": ["0x34"], "data": "0x"}],
}
TRANSACTION: Final = {
    "type": "0x0",
    "nonce": "0x1",
    "gasPrice": "0x1",
    "gas": "0x1",
    "to": None,
    "value": "0x0",
    "input": "0x",
    "v": "0x1b",
    "r": "0x1",
    "s": "0x1",
}


def doors() -> dict[str, Target]:
    """Return all doors by name."""
    return {**_bodies(), **_queries(), **_peers(), **_chain()}


def _bodies() -> dict[str, Target]:
    """Every body that every route takes, as it is read before anything is looked up."""
    found = {}
    for one in operations():
        for kind in one.takes:
            body = BODIES[one.path, kind]
            seed = body if isinstance(body, bytes) else json.dumps(body).encode()
            found[f"POST {one.path} {kind}"] = Target(_reader(one, kind), (seed,))
            found[f"POST {one.path} {kind}, gzip"] = Target(_inflating(one, kind), _packed(seed))
    return found


def _packed(seed: bytes) -> tuple[bytes, ...]:
    return gzip.compress(seed), gzip.compress(seed + b" " * 4_000_000)


def _reader(one: Operation, kind: str) -> Callable[[bytes], object]:
    if kind == MSGPACK:
        return _messages if one.path == "/v1/messages" else _packed_check
    forms = {kind: form for form in FORMS.values() for kind in (form.fields, form.signed)}
    value = one.takes[JSON].value

    def read(data: bytes) -> None:
        fields: Any = value_of(data, value)
        if value not in forms:
            read_check(fields)
            return
        forms[value].read(fields)
        read_signature(getattr(fields, "signature", "0x"))

    return read


def _packed_check(data: bytes) -> object:
    return read_packed_check(bytearray(data))


def _messages(data: bytes) -> None:
    for one in decode_all(decode_bundle(data, BODY_BYTES), NETWORK):
        if isinstance(one, SaysoError):
            raise one


def _inflating(one: Operation, kind: str) -> Callable[[bytes], object]:
    read, limit = _reader(one, kind), one.takes[kind].limit

    def inflated(data: bytes) -> None:
        inflater, body = Inflater("gzip"), bytearray()
        for piece in inflater.feed(data):
            body += piece
            if len(body) > limit:
                raise BadRequest("too long")
        inflater.finish()
        read(bytes(body))

    return inflated


def _queries() -> dict[str, Target]:
    """The query of every route that has one; its values in the form that the route wants."""
    status = f"grantee={address_text(BEN)}&purpose=train-ai&max_age_s=60&heed={address_text(BEN)}"
    seeds = {"/v1/status/{license}/{item}": status}
    found = {
        f"query of {one.path}": Target(_query(one), (seeds.get(one.path, _query_of(one)).encode(),))
        for one in operations()
        if one.asked
    }
    return found | {"query of a status": Target(_status, (status.encode(),))}


def _query_of(one: Operation) -> str:
    return "&".join(f"{name}=1" for name, is_needed in (one.asked or {}).items() if is_needed)


def _query(one: Operation) -> Callable[[bytes], object]:
    return lambda data: check_query(one, data[:8_190].decode("latin-1"))  # LINE_BYTES


def _status(data: bytes) -> object:
    text = data[:8_190].decode("latin-1")
    status = next(one for one in operations() if one.path.startswith("/v1/status"))
    check_query(status, text)
    return _read_query.__wrapped__(text)


def _peers() -> dict[str, Target]:
    lists = pack([b"abcde", None])
    batch = [BATCH.sponsor, b"".join(BATCH.licenses)]
    upgrades = (UPGRADE, UPGRADE.replace(b"Host", b"X-Forwarded-For: 192.0.2.1\r\nHost"))
    call = frames.encode_call(7, "frame", "topic", b"frame", "peer")
    told = frames.encode_call(0, "tally", {"a": 1, "b": 2})
    return {
        "frame of the gossip process": Target(_ipc, (call, told, frames.encode_result(7, [ADDRESS]))),
        "question for peers": Target(_question, (pack(["net", [ADDRESS]]),)),
        "answer with peers": Target(_told, (pack([ADDRESS]),)),
        "batch of a peer": Target(partial(read_answer, root=BATCH.root), (pack(batch),)),
        "sync fingerprints": Target(partial(answers.decode_fingerprints, count=2), (pack(bytes(10)),)),
        "sync messages": Target(answers.decode_messages, (pack([b"a", b"b"]),)),
        "sync check": Target(answers.decode_check, (pack(None), pack(bytes(16)))),
        "sync results": Target(lambda data: answers.decode_taken(data, 2), (pack(b"\0\1"),)),
        "sync heed": Target(answers.decode_heed, (pack([b"\1" * 20, b"\2" * 20]), pack([]))),
        "sync lists of consents": Target(lambda data: answers.decode_lists(data, 1, 4), (lists,)),
        "websocket upgrade": Target(lambda data: trio.run(_upgrade, data), upgrades),
    }


def _ipc(data: bytes) -> object:
    return list(frames.Splitter().feed(data))


def _question(data: bytes) -> None:
    for one in discovery._QUESTION.read(data)[1]:
        parse_told(one)


def _told(data: bytes) -> None:
    for one in discovery._ANSWER.read(data):
        parse_told(one)


class _Socket:
    """A connection that brings these bytes, then nothing."""

    def __init__(self, data: bytes) -> None:
        self._left = data

    async def receive_some(self, most: int) -> bytes:
        part, self._left = self._left[:most], self._left[most:]
        return part

    async def send_all(self, data: bytes) -> None:
        await trio.lowlevel.checkpoint()


async def _upgrade(data: bytes) -> None:
    socket: Any = _Socket(data)
    try:
        await accept_upgrade(socket)
    except UpgradeRefused as error:
        raise Malformed(str(error)) from error


def _chain() -> dict[str, Target]:
    """What an endpoint answers; its mistakes are any of four errors, which the caller expects."""
    batch = {"sponsor": BATCH.sponsor.hex(), "licenses": [hex_text(one) for one in BATCH.licenses]}
    return {
        "batch": _endpoint(lambda value: read_batch(value, BATCH.root), batch),
        "storage proof": _endpoint(lambda value: _checked(value, [bytes(32)]), PROOF),
        "block": _endpoint(encode_header, BLOCK),
        "transaction of an endpoint": _endpoint(encode_transaction, TRANSACTION),
        "receipt of an endpoint": _endpoint(encode_receipt, RECEIPT),
        "hash in a path": Target(
            lambda data: hash_from_text(data[:8_190].decode("latin-1")), (b"0x" + b"1f" * 32,)
        ),
    }


def _endpoint(read: Callable[[Any], object], seed: Any) -> Target:
    def checked(data: bytes) -> None:
        try:
            read(parse_json(data))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise Malformed(type(error).__name__) from error

    return Target(checked, (json.dumps(seed).encode(),))
