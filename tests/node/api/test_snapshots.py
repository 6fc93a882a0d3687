"""Snapshots over HTTP: plain files with ETag and ranges, which the library fetches and goes on with."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sayso.buyer.snapshots import pull
from sayso.errors import NotHeld
from sayso.node_client.transport import Transport
from support.node_rig import consent, revocation
from support.running_node import RunningNode, running_node
from support.waiting import until


@pytest.fixture
async def node(tmp_path: Path) -> AsyncIterator[RunningNode]:
    async with running_node(tmp_path, disabled=(), snapshot_interval_s=0.2) as node:
        await until(lambda: node.node._snapshots.shelf.chain)
        yield node


async def test_a_node_gives_its_snapshots_away(node: RunningNode, tmp_path: Path) -> None:
    trusted, path = node.node._config.network_file, tmp_path / "north.snapshot"
    shelf = node.node._snapshots.shelf
    async with Transport(node.url) as client:
        first = await pull(client, path, trusted)
        assert first.operator.name == "rig"
        await node.submit(consent(1), revocation("everything"))
        await until(lambda: sum(one.head.counts.keys for one in shelf.chain) == 2)
        second = await pull(client, path, trusted)
        assert second.keys == 2
    base = shelf.chain[0].path
    assert path.read_bytes().startswith(base.read_bytes())
    await check_http(node, base.name, base.read_bytes())


async def check_http(node: RunningNode, name: str, whole: bytes) -> None:
    url = f"{node.url}/v1/snapshots/{name}"
    async with node.http.get(url) as answer:
        assert (answer.status, await answer.read()) == (200, whole)
        assert answer.content_type == "application/octet-stream"
        assert answer.headers["Accept-Ranges"] == "bytes"
        assert "immutable" in answer.headers["Cache-Control"]
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        tag = answer.headers["ETag"]
    async with node.http.get(url, headers={"If-None-Match": tag}) as answer:
        assert (answer.status, await answer.read()) == (304, b"")
    async with node.http.get(url, headers={"Range": "bytes=100-", "If-Range": tag}) as answer:
        assert (answer.status, await answer.read()) == (206, whole[100:])
        assert answer.headers["Content-Range"] == f"bytes 100-{len(whole) - 1}/{len(whole)}"
    async with node.http.get(url, headers={"Range": f"bytes={len(whole)}-"}) as answer:
        assert answer.status == 416
    async with node.http.head(url) as answer:
        assert answer.headers["Content-Length"] == str(len(whole))


async def test_nothing_else_is_given_away(node: RunningNode) -> None:
    async with Transport(node.url) as client:
        for name in ("body", "keys", "..%2Fstore.sqlite", "%2e%2e%2fstore.sqlite", "1.snapshot"):
            with pytest.raises(NotHeld):
                async for _ in client.stream(f"/v1/snapshots/{name}"):
                    pass
