"""Yamux credit given back by the half window, as go-yamux does, and not by the byte.

py-libp2p 0.8.1 answers every read with a window update: a frame of its own, encrypted, written, and read
by the other side. It reads lengths byte by byte, so a small request cost more such frames than others.
"""

from typing import Any

from libp2p.stream_muxer.yamux.yamux import YamuxStream

_release = YamuxStream._auto_tune_and_send_window_update  # noqa: SLF001


async def _release_by_halves(stream: YamuxStream, *, bytes_read: int = 0) -> None:
    """Once half of the window was read; the sender still has the other half meanwhile."""
    del bytes_read  # the window says it, too
    buffered = len(stream.conn.stream_buffers.get(stream.stream_id, b""))
    owed = stream.target_recv_window - stream.recv_window - buffered
    if owed >= stream._grow_threshold():  # noqa: SLF001
        await _release(stream)


def release_by_halves() -> None:
    """From now on, in this process."""
    changed: Any = YamuxStream
    changed._auto_tune_and_send_window_update = _release_by_halves  # noqa: SLF001
