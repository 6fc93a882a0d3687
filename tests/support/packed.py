"""Any msgpack as Python values, to change a message and encode it again."""

from typing import Any

import msgpack


def unpack(data: bytes) -> Any:
    """Arrays become lists."""
    return msgpack.unpackb(data, raw=False)
