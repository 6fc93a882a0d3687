"""What a node asks of its chain endpoint, which providers bill by the call; time is virtual."""

import asyncio
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bench.figure import Figure
from support.many_wallets import calls_of_wallets
from support.quiet_chain import calls_of_an_hour

BLOCK_S = 12.0
WALLETS, CONSENTS = 100, 100  # of each wallet
AGE_S = 3_600
HOURS = 4.0  # so that the first answers, which came with the consents, weigh little
BEFORE = 14_400.0  # when each reading asked four times, and the payer asked in each second


def figures() -> Iterator[Figure]:
    """chain.* and wallets.*"""
    with tempfile.TemporaryDirectory() as folder:
        calls = asyncio.run(calls_of_an_hour(Path(folder), BLOCK_S))
    limit = "300 blocks, each of which must be asked for: 300"
    peers = {"every_second_before": BEFORE}
    yield Figure("chain.calls_per_hour_idle", calls.total(), "calls", "lower", peers, limit)
    with tempfile.TemporaryDirectory() as folder:
        asking = calls_of_wallets(Path(folder), owners=WALLETS, each=CONSENTS, age_s=AGE_S, hours=HOURS)
        asked, too_old = asyncio.run(asking)
    assert not too_old
    limit = f"twice in the age that is asked for, a call a wallet: {2 * WALLETS}"
    peers = {"each_consent_every_2_s_before": 1_800.0 * WALLETS * CONSENTS}
    yield Figure("wallets.calls_per_hour", asked, "calls", "lower", peers, limit)
