"""The tutorials of the three marketplaces are run as they are written: each scenario holds."""

import json

import pytest

from docs.as_written import AsWritten
from sayso.demo.plays import PLAYS
from system.demo_process import demo, finish

REMOVALS = {  # holders at the end of each scenario
    "kled": {"confirmed": 2, "due": 0, "late": 1},
    "silencio": {"confirmed": 0, "due": 1, "late": 0},
    "neon": {"confirmed": 0, "due": 2, "late": 0},
}


class TestKled(AsWritten):
    """Files, sold on twice."""

    page = "docs/tutorial/kled.md"


class TestSilencio(AsWritten):
    """Sessions of fifty phones."""

    page = "docs/tutorial/silencio.md"


@pytest.mark.long
class TestNeon(AsWritten):
    """Calls of two people; the marketplaces above are walked through every day."""

    page = "docs/tutorial/neon.md"


@pytest.mark.long
@pytest.mark.parametrize("name", PLAYS)
def test_a_scenario_of_full_size(name: str) -> None:
    with demo("--json", "--scenario", name, "--patience", "120") as running:
        status, summary, story = finish(running)
        assert status == 0, story
        figures = summary["figures"]
        running.expect_nothing_left()
    assert figures["gossip_bytes"] > 0, json.dumps(figures)
    assert figures["gas_per_license"] > 0
    assert figures["gas_per_revocation"] > 0
    assert len(figures["refused_s"]) >= 2
    assert {standing: one["count"] for standing, one in figures["removals"].items()} == REMOVALS[name]


@pytest.mark.long
@pytest.mark.parametrize(
    ("name", "channel", "failed"),
    [("kled", "gossip", "consent"), ("silencio", "receipts", "sessions"), ("neon", "gossip", "one")],
)
def test_a_scenario_can_fail(name: str, channel: str, failed: str) -> None:
    """Gossip and sync are off, or no node signs receipts: the first step that needs it fails."""
    both = ("--disable", channel) + (("--disable", "sync") if channel == "gossip" else ())
    few = ("--phones", "10", "--patience", "5")
    with demo("--json", "--scenario", name, *few, *both) as running:
        status, summary, story = finish(running)
        lost = [step["name"] for step in summary["steps"] if not step["ok"]]
        assert lost[0] == failed, story
        assert status == 1
        assert "figures" not in summary
        running.expect_nothing_left()
