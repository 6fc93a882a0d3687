"""An ordinary node's settings, and a randomness that can be repeated."""

from sayso_node.folder.settings import Settings
from sayso_protocol.primitives import sha256

ORDINARY = Settings(
    name="Ours",
    network="../network.toml",
    http="127.0.0.1:8600",
    listen=("/ip4/127.0.0.1/tcp/4600",),
    rpc="http://127.0.0.1:8545",
)


def randomness(count: int) -> bytes:
    return sha256(b"randomness")[:count]
