"""The last final block of a node, up to which a removal states that nothing revoked is held."""

from sayso.errors import BadAnswer
from sayso.node_client.client import NodeClient


async def final_block(node: NodeClient) -> int:
    """Return the newest block that is final at the node; raises BadAnswer if it has read none."""
    block, finality = (await node.node()).block, node.trusted.finality
    if block is None or block[0] < finality:
        raise BadAnswer("the node has no final block yet; name one with --as-of-block")
    return block[0] - finality
