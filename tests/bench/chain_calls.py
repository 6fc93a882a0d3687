"""What a node asks of its chain endpoint, which providers bill by the call; time is virtual."""

import asyncio
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bench.figure import Figure
from support.quiet_chain import calls_of_an_hour

BLOCK_S = 12.0
BEFORE = 14_400.0  # when each reading asked four times, and the payer asked in each second


def figures() -> Iterator[Figure]:
    """chain.*"""
    with tempfile.TemporaryDirectory() as folder:
        calls = asyncio.run(calls_of_an_hour(Path(folder), BLOCK_S))
    limit = "300 blocks, each of which must be asked for: 300"
    peers = {"every_second_before": BEFORE}
    yield Figure("chain.calls_per_hour_idle", calls.total(), "calls", "lower", peers, limit)
