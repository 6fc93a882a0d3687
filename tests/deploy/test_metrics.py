"""What Prometheus scrapes: names, meanings, bounded labels; dashboard and alerts name nothing else."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from docs.markdown import ROOT
from sayso_node.gossip.counters import COUNTERS
from sayso_node.metrics.gauges import GAUGES, MOST_PEERS
from sayso_node.metrics.latency import NAME
from sayso_node.store import queues
from support.machine import need
from support.node_rig import consent
from support.running_node import RunningNode, running_node
from support.waiting import until

DEPLOY = ROOT / "deploy"
METRIC = re.compile(r"\b(?:sayso|process)_\w+")
WITH_PEERS = {f"sayso_{one}" for one in ("peer_connected", "peer_synced_timestamp_seconds")}
ABSENT = WITH_PEERS | {"sayso_clock_offset_seconds", "sayso_unready"}  # while the node is ready


async def scraped(node: RunningNode) -> tuple[str, dict[str, Any]]:
    status, text = await node.get("/metrics")
    assert status == 200
    return text, {one.name: one for one in text_string_to_metric_families(text)}


async def settled(node: RunningNode) -> None:
    """Wait until the payer knows its balance, which has gauges of its own from then on."""

    def knows_its_balance() -> bool:
        money = node.node._chain.money
        return money is not None and money.balance is not None

    await until(knows_its_balance)


def samples(families: dict[str, Any], name: str) -> dict[str, float]:
    found: list[Sample] = families[name].samples
    return {",".join(one.labels.values()): one.value for one in found}


async def test_names_meanings_and_values(tmp_path: Path) -> None:
    async with running_node(tmp_path, discovered_peers=0) as node:
        node.chain.mine()
        await until(lambda: node.node._freshness.head.point.number == 1)
        await settled(node)
        await node.submit(consent(1))
        for path in ("/v1/node", "/nowhere/1", "/nowhere/2"):
            await node.get(path)
        _, families = await scraped(node)
        assert families.keys() >= {f"sayso_{name}" for name in GAUGES} - ABSENT
        helps = [one.documentation for one in families.values()]
        assert all(helps)
        assert len(helps) == len(set(helps))
        assert samples(families, "sayso_ready") == {"": 1.0}
        assert samples(families, "sayso_peers") == {"configured": 0, "connected": 0, "discovered": 0}
        assert set(samples(families, "sayso_queue_length")) == set(queues.QUEUES)
        assert set(samples(families, "sayso_part_up").values()) == {1.0}
        assert samples(families, "sayso_store_bytes")[""] > 10_000
        assert samples(families, "sayso_budget_ether") == {"": 0.5}
        number = node.node._freshness.head.point.number
        assert samples(families, "sayso_chain_head_block") == {"": number}
        assert samples(families, "sayso_chain_lag_blocks") == {"": 0.0}
        counted = [one for one in families[NAME].samples if one.name.endswith("_count")]
        assert {(one.labels["operation"], one.labels["status"]): one.value for one in counted} == {
            ("submit", "2xx"): 1,
            ("node", "2xx"): 1,
            ("none", "4xx"): 2,
        }


async def test_what_is_wrong_has_a_gauge(tmp_path: Path) -> None:
    quiet = ("snapshots", "sync")  # nobody else says what the clock's offset is
    async with running_node(tmp_path, disabled=quiet) as node:
        node.node._transport.is_silent = True  # type: ignore[misc]
        node.node._freshness.clock_offset = -7.0
        _, families = await scraped(node)
        assert samples(families, "sayso_ready") == {"": 0.0}
        assert samples(families, "sayso_unready") == {"part-down": 1.0}
        assert samples(families, "sayso_part_up")["gossip"] == 0.0
        assert samples(families, "sayso_clock_offset_seconds") == {"": -7.0}


async def test_no_stranger_makes_new_series(tmp_path: Path) -> None:
    """Whatever is asked for, and however many peers the settings have."""
    async with running_node(tmp_path) as node:
        await settled(node)
        for number in range(3):
            await node.ask("POST", f"/v1/{number}", data=b"x", headers={"User-Agent": f"agent {number}"})
            await node.get(f"/v1/licenses/0x{number:064x}")
        before = (await scraped(node))[0].count("\n")
        for number in range(3, 50):
            await node.ask("POST", f"/v1/{number}", data=b"x", headers={"User-Agent": f"agent {number}"})
            await node.get(f"/v1/licenses/0x{number:064x}")
        # The first scrape itself is new in the second.
        text, _ = await scraped(node)
        new = [line for line in text.splitlines() if 'operation="metrics"' in line]
        assert text.count("\n") == before + len(new)
        node.node._freshness._peers_begun = {f"peer{number}": 1.0 for number in range(1_000)}
        _, families = await scraped(node)
        assert len(families["sayso_peer_connected"].samples) == MOST_PEERS
        assert samples(families, "sayso_peers")["configured"] == 1_000


async def test_long_queues_cost_no_more_to_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queues, "MOST_COUNTED", 3)
    async with running_node(tmp_path, anchor_wait_s=3_600.0) as node:
        for number in range(1, 7):
            await node.submit(consent(number, sponsor=None))
        _, families = await scraped(node)
        assert samples(families, "sayso_queue_length")["anchors"] == 3


def named_in(text: str) -> set[str]:
    found = {one for one in METRIC.findall(text) if not one.startswith("sayso_node")}
    return {re.sub(r"_(bucket|count|sum|total)$", "", one) for one in found}


async def test_dashboard_and_alerts_name_what_exists(tmp_path: Path) -> None:
    dashboard = json.loads((DEPLOY / "grafana" / "dashboards" / "sayso.json").read_text())
    shown = [one["expr"] for panel in dashboard["panels"] for one in panel.get("targets", ())]
    rules = (DEPLOY / "prometheus" / "sayso.rules.yml").read_text()
    async with running_node(tmp_path) as node:
        await node.get("/healthz")
        _, families = await scraped(node)
    exist = families.keys() | {f"sayso_{name}" for name in GAUGES}
    exist |= {f"sayso_network_{name}" for name in COUNTERS}
    assert len(shown) > 50
    assert named_in("\n".join(shown)) - exist == set()
    assert len(named_in(rules)) > 15
    assert named_in(rules) - exist == set()
    assert {f"sayso_{name}" for name in GAUGES} - named_in("\n".join(shown)) == set()


@pytest.mark.long
async def test_promtool_finds_nothing(tmp_path: Path) -> None:
    need("promtool", "prometheus")
    async with running_node(tmp_path) as node:
        node.node._freshness.clock_offset = -7.0
        await node.submit(consent(1))
        text, _ = await scraped(node)
    assert checked_by_promtool(text) == (0, "")


def checked_by_promtool(text: str) -> tuple[int, str]:
    command = ["promtool", "check", "metrics"]
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr
