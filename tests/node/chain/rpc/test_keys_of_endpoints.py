"""The key in an endpoint's URL is in nothing that anybody reads, whatever the endpoint does."""

import asyncio
import logging
import traceback
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from click.testing import CliRunner

from node.api.process import node_process
from sayso.contributor import onchain
from sayso.contributor.signers import external_signer
from sayso.main import cli
from sayso.node_client.transport import Transport
from sayso_node.api.schema.about import Health
from sayso_node.batches.http_json import HttpJson
from sayso_node.chain.rpc.json_rpc import JsonRpc
from sayso_node.chain.rpc.web3_chain import Web3Chain
from sayso_node.folder.settings import Settings
from sayso_protocol.errors import SaysoError
from sayso_protocol.network_file import NetworkFile
from sayso_protocol.redaction import redacted, shown_url
from support.protocol_strategies import NETWORK
from support.serving import served

HOW = web.AppKey("how", str)
KEY = "k3y-0f-th3-0perat0r"
ENCODED = "k3y%2D0f-th3-0perat0r"
PLACES = {
    "path": f"/v2/{KEY}",
    "encoded path": f"/v2/{ENCODED}",
    "query": f"/rpc?apikey={KEY}",
    "second query": f"/?chain=1&key={KEY}",
    "fragment": f"/#{KEY}",
    "password": "/",
    "user": "/",
}
HTML = f"<html>no such key: {KEY}</html>"


async def answer(request: web.Request) -> web.StreamResponse:
    """Quote all that was sent, as endpoints do that explain what is wrong."""
    how = request.app[HOW]
    if how == "closed":
        assert request.transport
        request.transport.abort()
    if how == "slow":
        await asyncio.Event().wait()
    if how.isdigit() and how != "200":
        return web.Response(status=int(how), text=HTML)
    said: Any = {
        "nonsense": HTML,
        "no object": [KEY],
        "error": {"id": 1, "error": {"code": -32_000, "message": f"{request.url} {KEY}", "data": KEY}},
        "odd error": {"id": 1, "error": f"{KEY} is over its quota"},
        "result": {"id": 1, "result": f"unauthorized: {KEY}"},
        "block": {"id": 1, "result": {"number": KEY, "hash": str(request.url), "timestamp": "0x1"}},
    }[how]
    if request.headers.get("Upgrade", "").lower() != "websocket":
        return web.Response(text=said) if isinstance(said, str) else web.json_response(said)
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    async for _ in socket:
        await (socket.send_str(said) if isinstance(said, str) else socket.send_json(said))
    return socket


WAYS = (
    "401",
    "403",
    "404",
    "429",
    "500",
    "closed",
    "slow",
    "nonsense",
    "no object",
    "error",
    "odd error",
)
MORE = ("result", "block")


@asynccontextmanager
async def endpoint(how: str) -> AsyncIterator[str]:
    """An endpoint's host and port."""
    app = web.Application()
    app[HOW] = how
    app.router.add_route("*", "/{rest:.*}", answer)
    async with served(app, shutdown_timeout=0.01) as address:
        yield address


def url_of(scheme: str, host: str, place: str) -> str:
    who = {"password": f"operator:{KEY}@", "user": f"{KEY}:@"}.get(place, "")
    return f"{scheme}://{who}{host}{PLACES[place]}"


def everything(error: BaseException) -> str:
    """All that a log, a debugger or a person may see of an error and of what led to it."""
    seen, left = list[str](), [error]
    while left:
        one = left.pop()
        seen += [str(one), repr(one), str(one.args)]
        left += [other for other in (one.__cause__, one.__context__) if other]
    return "\n".join([*seen, *traceback.format_exception(error)])


def hidden(text: object) -> None:
    assert KEY not in str(text)
    assert ENCODED not in str(text)


WITH = [(how, scheme) for how in WAYS + MORE for scheme in ("http", "ws")]
WAITS = ("429", "http")  # for a pause that the endpoint asks for
EACH = 3  # a way meets every third place here, and all of them in the long suite


@pytest.mark.parametrize(("how", "scheme"), [one for one in WITH if one != WAITS])
async def test_no_error_has_it(how: str, scheme: str, caplog: pytest.LogCaptureFixture) -> None:
    first = WITH.index((how, scheme)) % EACH
    await nothing_shows(how, scheme, list(PLACES)[first::EACH], caplog)


@pytest.mark.long
@pytest.mark.parametrize(("how", "scheme"), WITH)
async def test_no_error_has_it_anywhere(how: str, scheme: str, caplog: pytest.LogCaptureFixture) -> None:
    await nothing_shows(how, scheme, PLACES, caplog)


async def nothing_shows(
    how: str, scheme: str, places: Iterable[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with endpoint(how) as host:
        for place in places:
            url = url_of(scheme, host, place)
            link, chain = JsonRpc(url, 0.3), Web3Chain(url, NETWORK, 0.3)
            hidden(repr(link) + link.name + repr(chain) + chain.name + repr(vars(chain)))
            try:
                hidden(await link.ask("eth_chainId", []))
            except SaysoError as error:
                hidden(everything(error))
            for asking in (chain.head(), chain.header(1), chain.events(1, 2)):
                with pytest.raises(SaysoError) as caught:
                    await asking
                hidden(everything(caught.value))
            await link.close()
            await chain.close()
    hidden(caplog.text)


@pytest.mark.parametrize(
    "url", [f"wss://host:port/{KEY}", f"http://[{KEY}", f"{KEY}", f"ftp://x/{KEY}", f"http:///{KEY}"]
)
async def test_a_url_that_is_none(url: str) -> None:
    link = JsonRpc(url, 0.3)
    with pytest.raises(SaysoError) as caught:
        await link.ask("eth_chainId", [])
    hidden(everything(caught.value) + link.name)
    await link.close()


def test_a_node_shows_it_nowhere(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Its log, /readyz, the metrics and all that it says of itself, with an endpoint of each sort."""

    async def run() -> None:
        async with endpoint("401") as first, endpoint("nonsense") as second, endpoint("429") as third:
            rest = [url_of("http", second, "query"), url_of("ws", third, "password")]
            rest += [url_of("ws", first, "encoded path"), f"http://127.0.0.1:1/{KEY}"]
            rpc = url_of("http", first, "path")
            await asyncio.to_thread(look, rpc, tuple(rest))

    def look(rpc: str, more: tuple[str, ...]) -> None:
        with node_process(tmp_path, rpc=rpc, more_rpcs=more) as node:
            for _ in range(100):
                status, ready = node.get("/readyz")
                if "chain-unreachable" in ready["alarms"]:
                    break
            assert (status, ready["alarms"]) == (503, ["chain-unreachable"])
            for path in ("/readyz", "/healthz", "/v1/node", "/v1/peers"):
                hidden(node.get(path))
            request = b"GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
            hidden(node.send(request % b"/metrics"))

    asyncio.run(run())
    output, errors = capfd.readouterr()
    assert "chain-unreachable" in errors
    hidden(output + errors)


@pytest.mark.parametrize("how", ["401", "429", "closed", "nonsense", "error", "result"])
async def test_the_command_and_the_library_show_it_nowhere(
    how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(onchain, "RPC_TIMEOUT_S", 0.3)
    network = tmp_path / "network.toml"
    network.write_text(NetworkFile(NETWORK, 1, 0).to_toml())
    async with endpoint(how) as host:
        for place in PLACES:
            url = url_of("http", host, place)
            verify = ["contract", "verify", "--rpc", url, "--network", str(network)]
            result = await asyncio.to_thread(CliRunner().invoke, cli, verify)
            assert result.exit_code
            hidden(result.output)
            if result.exception and not isinstance(result.exception, SystemExit):
                hidden(everything(result.exception))
            with pytest.raises(SaysoError) as caught:
                await asyncio.to_thread(external_signer, url)
            hidden(everything(caught.value))
            async with Transport(url, get_s=0.5) as node:
                with pytest.raises(SaysoError) as caught:
                    await node.get("/healthz", Health)
                hidden(everything(caught.value))
            fetcher = HttpJson()
            try:
                await fetcher.get(url)
            except SaysoError as error:
                hidden(everything(error))
            await fetcher.close()


def test_settings_do_not_show_it() -> None:
    settings = Settings("n", "n.toml", "x:1", (), rpc=f"http://x/{KEY}", more_rpcs=(f"ws://x/{KEY}",))
    hidden(repr(settings))


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://127.0.0.1:8545", "http://127.0.0.1:8545"),
        ("https://rpc.example/", "https://rpc.example"),
        (f"https://rpc.example/v2/{KEY}", "https://rpc.example/…"),
        (f"wss://a:{KEY}@rpc.example:443?x={KEY}", "wss://rpc.example:443/…"),
        (f"http://[::1]:1/{KEY}", "http://[::1]:1/…"),
        (f"http://[::1{KEY}", "an invalid URL"),
    ],
)
def test_what_is_shown(url: str, shown: str) -> None:
    assert shown_url(url) == shown


def test_texts_of_others_lose_every_url() -> None:
    text = f"401, message='no', url='wss://u:{KEY}@h:1/v2/{KEY}?a={KEY}' (see https://h/{KEY}). {KEY}!"
    assert (
        redacted(text, f"http://h/{KEY}") == "401, message='no', url='wss://h:1/…' (see https://h/…). …!"
    )
