"""What takes long for one user is done in a thread: the node answers everybody else meanwhile."""

import asyncio
import importlib
import threading
from typing import Any

import pytest

from sayso_protocol.primitives import address_text, hex_text
from support.node_rig import consent
from support.protocol_strategies import BEN
from support.running_node import RunningNode
from support.waiting import DEADLINE_S

ONE = consent(1)
ROWS = [[hex_text(ONE.digest), hex_text(ONE.items[0])]]
CHECK = {
    "grantee": address_text(BEN),
    "purpose": "train-ai",
    "max_age_s": 60,
    "run_id": "",
    "rows": ROWS,
}
LICENSE = ("GET", f"/v1/licenses/{hex_text(ONE.digest)}", None)
ASKED = ("POST", "/v1/check", CHECK)


@pytest.mark.parametrize(
    ("module", "name", "request_"),
    [
        ("sayso_node.api.routes.checks", "read_check", ASKED),
        ("sayso_node.verdicts.judge", "judge_rows", ASKED),
        ("sayso_node.verdicts.signer", "roots", ASKED),
        ("sayso_node.api.routes.licenses", "revoked_masks", LICENSE),
    ],
)
async def test_long_work(
    node: RunningNode,
    monkeypatch: pytest.MonkeyPatch,
    module: str,
    name: str,
    request_: tuple[str, str, Any],
) -> None:
    await node.submit(ONE)
    entered, leave = threading.Event(), threading.Event()
    work = getattr(importlib.import_module(module), name)

    def long(*arguments: Any) -> Any:
        entered.set()
        assert leave.wait(DEADLINE_S), "nobody else was answered meanwhile"
        return work(*arguments)

    monkeypatch.setattr(f"{module}.{name}", long)
    method, path, body = request_
    asking = asyncio.create_task(node.ask(method, path, json=body))
    assert await asyncio.to_thread(entered.wait, DEADLINE_S)
    assert await node.get("/healthz") == (200, {"ok": True})
    assert not asking.done()
    leave.set()
    status, _ = await asking
    assert status == 200
