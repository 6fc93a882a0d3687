"""After how many blocks a block is taken for final, where nobody says otherwise."""

from math import ceil
from typing import Any, Final

from sayso_contracts.rpc import rpc_errors

LEAST_BLOCKS: Final = 12
LEAST_S: Final = 60.0

# Ethereum finalizes after two epochs. A rollup's sequencer can take blocks back until they are posted,
# so its blocks wait for five minutes. Development chains take back only what a test tells them to.
BY_CHAIN: Final = {
    1: 64,
    11_155_111: 64,
    10: 150,
    11_155_420: 150,
    8_453: 150,
    84_532: 150,
    42_161: 1_200,
    421_614: 1_200,
    1_337: 0,
    31_337: 0,
}
"""Number of blocks by chain id."""


async def usual(w3: Any, chain_id: int) -> int:
    """Return the number for a chain: from the table, else twelve blocks and at least a minute.

    Raises the errors of rpc_errors if the endpoint fails.
    """
    if chain_id in BY_CHAIN:
        return BY_CHAIN[chain_id]
    with rpc_errors():
        head = await w3.eth.get_block("latest")
        before = await w3.eth.get_block(max(int(head["number"]) - LEAST_BLOCKS, 0))
    blocks = int(head["number"]) - int(before["number"])
    seconds = int(head["timestamp"]) - int(before["timestamp"])
    if blocks < 1 or seconds < 1:  # faster than a block a second, or too young to tell
        return ceil(LEAST_S / 0.25)
    return max(LEAST_BLOCKS, ceil(LEAST_S * blocks / seconds))
