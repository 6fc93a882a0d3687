"""The answering half of sync: pages of digests, and messages by digest."""

from sayso_node.store import messages
from sayso_node.store.engine import Engine
from sayso_protocol.reconcile import (
    BUNDLE_BYTES,
    PAGE,
    GetRequest,
    ListRequest,
    decode_request,
    encode_page,
)
from sayso_protocol.wire import bundles, encode_bundle


def answer(store: Engine, body: bytes) -> bytes:
    """Answer one request; raises SaysoError for one that breaks rule 11.1."""
    request = decode_request(body)
    with store.read() as db:
        match request:
            case ListRequest(kind, after):
                return encode_page(messages.digests(db, kind, after, PAGE))
            case GetRequest(digests):
                held = bundles(messages.bodies(db, digests), BUNDLE_BYTES)
                return next(held, encode_bundle([]))
