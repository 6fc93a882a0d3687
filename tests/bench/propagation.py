"""How long a revocation takes to a thousand nodes: production code, simulated machines, links of 50 ms.

Time is virtual, so the figure is the same on every machine: it says what the protocol adds to the delay
of the links. tests/simulation/propagation.py draws the curve.
"""

from collections.abc import Iterator

from bench.figure import Figure
from simulation.propagation import DELAY_S, NODES, spread


def figures() -> Iterator[Figure]:
    """gossip.sim_1000_s"""
    found = spread(NODES)
    bound = f"{found.diameter} hops of {DELAY_S} s"
    peers = {"diameter x delay": found.bound_s, "half of the nodes": found.until(0.5)}
    yield Figure(f"gossip.sim_{NODES}_s", found.all_s, "s", "lower", peers, bound)
