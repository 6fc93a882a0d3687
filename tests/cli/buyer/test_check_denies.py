"""`sayso check` when something is wrong: the exact code, exit status 1, and not one file."""

import contextlib
import socket
import threading
from collections.abc import Callable
from typing import Any

import pytest
from aiohttp import web
from nacl.signing import SigningKey

from cli.conftest import OUTPUTS, QUERY, World, denied
from sayso.node_client.transport import Transport
from sayso_protocol.receipts.receipt import Receipt, Signed, sign_statement
from sayso_protocol.receipts.text import receipt_from_json, receipt_to_json
from support.fake_node import FakeNode, running

Change = Callable[[dict[str, Any]], Any]


def lie(node: FakeNode, change: Change) -> None:
    node.twist = lambda route, answer: change(answer) if route == "check" else answer


def without(name: str) -> Change:
    return lambda answer: {key: value for key, value in answer.items() if key != name}


def with_receipt(**changes: Any) -> Change:
    """Change fields of the receipt and leave its signature."""
    return lambda answer: answer | {"receipt": answer["receipt"] | changes}


def resigned(node: FakeNode, key: SigningKey | None = None, **changes: Any) -> Change:
    """Change fields of the receipt and sign it again: a node that lies, not one on the way."""

    def change(answer: dict[str, Any]) -> dict[str, Any]:
        signed: Signed[Receipt] = receipt_from_json(answer["receipt"] | changes)
        return answer | {"receipt": receipt_to_json(sign_statement(key or node.key, signed.statement))}

    return change


OTHER = SigningKey(b"o" * 32)
OTHER_HEX = bytes(OTHER.verify_key).hex()
HASH = "0x" + "ab" * 32

ANSWERS: dict[str, tuple[str, Callable[[FakeNode], Change]]] = {
    "not JSON": ("bad-answer", lambda _: lambda _a: "<html>it works</html>"),
    "deep JSON": ("bad-answer", lambda _: lambda _a: '{"reasons": ' + "[" * 100_000),
    "JSON, but no object": ("bad-answer", lambda _: lambda _a: ["granted"]),
    "an empty object": ("bad-answer", lambda _: lambda _a: {}),
    "no reasons": ("bad-answer", lambda _: without("reasons")),
    "too few reasons": ("bad-answer", lambda _: lambda a: a | {"reasons": a["reasons"][:1]}),
    "too many reasons": ("bad-answer", lambda _: lambda a: a | {"reasons": a["reasons"] + b"\1"}),
    "an unknown reason": ("bad-answer", lambda _: lambda a: a | {"reasons": b"\1\x63"}),
    "no reason": ("bad-answer", lambda _: lambda a: a | {"reasons": b"\1\0"}),
    "reasons in text": ("bad-answer", lambda _: lambda a: a | {"reasons": "\1\1"}),
    "reasons in a list": ("bad-answer", lambda _: lambda a: a | {"reasons": ["granted", "granted"]}),
    "cut msgpack": ("bad-answer", lambda _: lambda a: b"\x82\xa7reasons"),
    "deep msgpack": ("bad-answer", lambda _: lambda a: b"\x81\xa1a" * 100_000),
    "msgpack, but no map": ("bad-answer", lambda _: lambda a: b"\x90"),
    "no receipt": ("no-receipt", lambda _: without("receipt")),
    "a null receipt": ("no-receipt", lambda _: lambda a: a | {"receipt": None}),
    "a receipt that is none": ("bad-answer", lambda _: lambda a: a | {"receipt": {"type": "x"}}),
    "a receipt without signature": ("bad-answer", lambda _: with_receipt(signature=None)),
    "a broken signature": ("bad-signature", lambda _: with_receipt(signature="0x" + "00" * 64)),
    "a changed receipt": ("bad-signature", lambda _: with_receipt(sequence=99)),
    "an unknown key": ("unknown-signer", lambda n: resigned(n, OTHER, node_key=OTHER_HEX)),
    "a known key, another's signature": ("bad-signature", lambda n: resigned(n, OTHER)),
    "other rows": ("bad-proof", lambda n: resigned(n, manifest_root=HASH)),
    "other results": ("bad-proof", lambda n: resigned(n, results_root=HASH)),
    "other counts": ("bad-proof", lambda n: resigned(n, counts={"granted": 3})),
    "another grantee": ("bad-answer", lambda n: resigned(n, grantee="0x" + "11" * 20)),
    "another purpose": ("bad-answer", lambda n: resigned(n, purpose="resale")),
    "another age": ("bad-answer", lambda n: resigned(n, max_age_s=61)),
    "another nonce": ("other-nonce", lambda n: resigned(n, nonce="0x" + "00" * 16)),
    "no nonce": ("other-nonce", lambda n: resigned(n, nonce="0x")),
    "another run": ("bad-answer", lambda n: resigned(n, run_id="yesterday")),
    "an old receipt": ("receipt-not-fresh", lambda n: resigned(n, time=1_700_000_000)),
    "a future receipt": ("receipt-not-fresh", lambda n: resigned(n, time=4_700_000_000)),
    "another end of the run": ("bad-answer", lambda n: resigned(n, run_until=1)),
    "granted, but to be relied on no longer": ("bad-answer", lambda n: resigned(n, until=1)),
    "granted, but for no time": ("bad-answer", lambda n: resigned(n, until=0)),
    "another network": (
        "wrong-network",
        lambda n: resigned(n, network={"chain_id": 1, "registry": "0x" + "00" * 20}),
    ),
    "revoked called granted": ("bad-proof", lambda _: lambda a: a | {"reasons": b"\1\1"}),
    "a refusal": (
        "node-refused",
        lambda _: lambda _a: {"error": {"code": "internal", "message": "a fault"}},
    ),
    "a refusal of ours": (
        "invalid-purpose",
        lambda _: lambda _a: {"error": {"code": "invalid-purpose", "message": "no"}},
    ),
    "a refusal without a code": ("bad-answer", lambda _: lambda _a: {"error": "no"}),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_that_is_not_proved_is_not_used(world: World, name: str) -> None:
    world.grant("a.jpg", "b.jpg")
    world.run("revoke", "--file", "b.jpg", "--key", world.key, "--yes")
    code, lying = ANSWERS[name]
    lie(world.node, lying(world.node))
    denied(world, code)


def test_a_lie_does_not_cost_the_honest_answer(world: World) -> None:
    """The same world without the lie: the tests above fail for their reason, not for another."""
    world.grant("a.jpg", "b.jpg")
    world.run("revoke", "--file", "b.jpg", "--key", world.key, "--yes")
    lie(world.node, resigned(world.node))
    world.run("check", "m.jsonl", *QUERY, *OUTPUTS, status=3)


def test_the_refusal_names_the_nodes_own_code(world: World) -> None:
    world.grant("a.jpg")
    lie(world.node, lambda _a: {"error": {"code": "internal", "message": "a \x1b[2J fault"}})
    line = world.fails("node-refused", "check", "m.jsonl", *QUERY).stderr
    assert "internal: a \N{REPLACEMENT CHARACTER}[2J fault" in line


def address(server: socket.socket) -> str:
    return f"http://127.0.0.1:{server.getsockname()[1]}"


def test_no_node_answers(world: World) -> None:
    world.grant("a.jpg")
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        denied(world, "node-unreachable", "m.jsonl", "--node", address(closed))


@pytest.mark.parametrize("url", ["ftp://127.0.0.1", "http://", "nonsense", "http://[::1"])
def test_the_url_is_none(world: World, url: str) -> None:
    world.grant("a.jpg")
    denied(world, "node-unreachable", "m.jsonl", "--node", url)


def test_the_node_hangs_up(world: World) -> None:
    world.grant("a.jpg")
    with socket.create_server(("127.0.0.1", 0)) as server:

        def hang_up() -> None:
            with contextlib.suppress(OSError):
                while True:
                    server.accept()[0].close()

        thread = threading.Thread(target=hang_up)
        thread.start()
        denied(world, "node-unreachable", "m.jsonl", "--node", address(server))
        server.shutdown(socket.SHUT_RDWR)
        thread.join(20)


def test_the_node_never_answers(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Transport.__init__, "__kwdefaults__", {"get_s": 0.2, "post_s": 0.2})
    world.grant("a.jpg")
    with socket.create_server(("127.0.0.1", 0)) as server:
        denied(world, "node-unreachable", "m.jsonl", "--node", address(server))


def test_the_node_redirects(world: World, node: FakeNode) -> None:
    """Nobody but the node that was named is told what is asked."""
    world.grant("a.jpg")
    with running(Redirecting(node.url)) as other:
        denied(world, "bad-answer", "m.jsonl", "--node", other.url)
    assert node.checks == []


class Redirecting(FakeNode):
    """Sends everybody elsewhere."""

    def __init__(self, place: str) -> None:
        super().__init__()
        self._place = place

    def app(self) -> web.Application:
        async def away(request: web.Request) -> web.Response:
            raise web.HTTPTemporaryRedirect(self._place + request.path)

        app = web.Application()
        app.router.add_route("*", "/{path:.*}", away)
        return app


def test_the_node_serves_another_network(world: World) -> None:
    world.grant("a.jpg")
    path = world.folder / "network.toml"
    path.write_text(path.read_text().replace("chain_id = 31337", "chain_id = 1"))
    denied(world, "wrong-network")
    assert world.node.checks == [], "the buyer's rows were told to a node of another network"


@pytest.mark.parametrize(
    "text", [b"", b"chain_id = 1", b"\xff", b"[[[", b"chain_id = 'x'\nregistry = 1"]
)
def test_the_network_file_is_none(world: World, text: bytes) -> None:
    world.grant("a.jpg")
    (world.folder / "network.toml").write_bytes(text)
    denied(world, "invalid-network-file")


def test_there_is_no_network_file(world: World) -> None:
    world.grant("a.jpg")
    (world.folder / "network.toml").unlink()
    denied(world, "invalid-network-file")
