"""What the gossip process writes: nothing of what py-libp2p says, and our own lines."""

import subprocess
import sys

SAYS = """
import logging
import libp2p.network.swarm
from sayso_node.gossip.child import quieten
from sayso_node.supervision.logs import logger
quieten()
for name in ("libp2p.network.swarm", "libp2p.transport.tcp.tcp", "libp2p", "multiaddr", "trio"):
    logging.getLogger(name).error("what a stranger sent")
logger("sayso_node.gossip").warning("peers-unwritten", error="ours")
"""


def test_libraries_write_nothing() -> None:
    """*No handlers could be found for logger* was a line that no log reader understood."""
    done = subprocess.run([sys.executable, "-c", SAYS], capture_output=True, text=True, check=True)
    assert "stranger" not in done.stderr
    assert "No handlers" not in done.stderr
    assert len(done.stderr.splitlines()) == 1, done.stderr
