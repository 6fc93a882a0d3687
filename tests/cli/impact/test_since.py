"""Revocations since a date, from a node that no longer has its first events."""

from pathlib import Path

import pytest

from sayso.errors import BadAnswer
from sayso.impact.finding import revoked_since
from sayso_node.store import queries
from support.node_rig import consent, revocation
from support.protocol_strategies import ADA
from support.running_node import running_node


async def test_a_node_without_its_first_events_does_not_say_that_nothing_was_revoked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a repair, the stream began anew, and `impact --since` found nothing to do."""
    async with running_node(tmp_path) as node:
        await node.submit(consent(1), revocation("everything"))
        found = await revoked_since(node.url, 0, ())
        assert found.since.keys() == {ADA}
        monkeypatch.setattr(queries, "first_event", lambda _db: 5)
        with pytest.raises(BadAnswer, match="no longer has all events"):
            await revoked_since(node.url, 0, ())
