"""More messages than one request carries: what a node refuses of the first holds up no other."""

from collections.abc import Sequence
from typing import Any

import pytest

from sayso.errors import NodeUnreachable
from sayso.node_client import client as client_module
from sayso.node_client.client import NodeClient
from sayso_node.api.schema.values import Fault, Result, Results
from sayso_node.intake.outcome import Status
from sayso_protocol.errors import SaysoError
from sayso_protocol.messages.envelope import Envelope, decode
from sayso_protocol.messages.wire import decode_bundle
from sayso_protocol.primitives import hex_text
from support.node_rig import consent
from support.snapshots import TRUSTED


class Node:
    """What a node gets, which refuses some messages, and whole requests with others."""

    def __init__(self, refused: Sequence[Envelope], unheard: Sequence[Envelope] = ()) -> None:
        self._refused, self._unheard = ({one.digest for one in some} for some in (refused, unheard))
        self.got = list[bytes]()

    async def post(self, _path: str, _kind: type[Any], data: bytes) -> Results:
        found = [decode(one, TRUSTED.network).digest for one in decode_bundle(data, 1 << 22)]
        if self._unheard.intersection(found):
            raise NodeUnreachable("no answer")
        self.got += found
        return Results([self._result(one) for one in found])

    def _result(self, digest: bytes) -> Result:
        if digest not in self._refused:
            return Result(hex_text(digest), Status.STORED)
        return Result(None, Status.REFUSED, error=Fault("expired", f"message {digest.hex()}"))


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> NodeClient:
    monkeypatch.setattr(client_module, "MESSAGES", 2)
    found = NodeClient("http://127.0.0.1:1", TRUSTED)
    monkeypatch.setattr(found, "_info", object())
    return found


async def test_a_refused_message_holds_up_no_other_request(client: NodeClient) -> None:
    """One old consent in a folder kept the revocations behind it from ever being sent."""
    all_ = [consent(number) for number in range(7)]
    node = Node([all_[1], all_[4]])
    client._transport = node  # type: ignore[assignment]
    with pytest.raises(SaysoError, match=all_[1].digest.hex()):
        await client.submit(all_)
    assert node.got == [one.digest for one in all_]


async def test_a_node_that_is_away_is_asked_no_further(client: NodeClient) -> None:
    all_ = [consent(number) for number in range(7)]
    node = Node([], [all_[3]])
    client._transport = node  # type: ignore[assignment]
    with pytest.raises(NodeUnreachable):
        await client.submit(all_)
    assert node.got == [one.digest for one in all_[:2]]
