"""How long from a signature at one node to refusal at another: three real nodes, a real chain."""

import asyncio
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from bench.figure import Figure
from sayso.contributor.revoking import license_masks, revoke_masks
from sayso.demo.nodes import NAMES
from sayso.demo.stage import Options
from sayso.demo.tour.people import TRAINING
from sayso.demo.tour.stage import Tour
from sayso.demo.tour.steps import STEPS
from sayso.sample import sample_files
from sayso_protocol.messages.consent import Consent
from sayso_protocol.verdicts.verdict import License, Reason

REVOCATIONS = 40
SETUP = ("chain", "nodes", "consent", "gossip")


def figures() -> Iterator[Figure]:
    """revocation.*"""
    by_gossip = asyncio.run(_measure(()))
    by_sync = asyncio.run(_measure(("gossip",)))
    for name, rank in (("p50", 0.5), ("p99", 0.99)):
        peers = {"by sync alone, every 2 s": _quantile(by_sync, rank)}
        limit = "two flushes to disk and one HTTP check"
        yield Figure(
            f"revocation.refused_{name}_s", _quantile(by_gossip, rank), "s", "lower", peers, limit
        )


def _quantile(values: list[float], rank: float) -> float:
    return statistics.quantiles(values, n=100, method="inclusive")[round(rank * 100) - 1]


async def _measure(disabled: tuple[str, ...]) -> list[float]:
    """Seconds from signing to refusal at C, one revocation at a time, handed to B."""
    with tempfile.TemporaryDirectory() as folder:
        stage = Tour(Path(folder), Options(sample_files(), disabled=disabled))
        try:
            for step in STEPS:
                if step.name in SETUP and step.name not in disabled:
                    await step.run(stage)
            await stage.until("all hold the consents", lambda: _held(stage))
            return [await _one(stage, number) for number in range(REVOCATIONS)]
        finally:
            await stage.stop()


async def _held(stage: Tour) -> bool:
    """Without gossip, sync has to bring them first: of strangers a revocation only waits."""
    return all([Reason.UNKNOWN not in (await stage.ask(name, TRAINING)).reasons for name in NAMES])


async def _one(stage: Tour, number: int) -> float:
    envelope = stage.consents[0]
    assert isinstance(envelope.message, Consent)
    held = License(envelope.message, envelope.items)
    masks = license_masks(held, [envelope.items[number]])
    rows = [one.row for one in stage.people.own if one.row.item == envelope.items[number]]

    async def refused() -> bool:
        return set((await stage.ask("C", TRAINING, rows)).reasons) == {Reason.REVOKED}

    begun = time.perf_counter()
    await stage.hand_in(
        "B", stage.people.contributor, *revoke_masks(envelope.message.contributor, masks)
    )
    await stage.until("C refuses", refused)
    return time.perf_counter() - begun
