"""Bits into bytes, most significant first, as JPEG and FLAC want them."""


class BitWriter:
    """BitWriter collects codes of any length."""

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._pending = 0
        self._count = 0  # of pending bits

    def write(self, value: int, width: int) -> None:
        """Append the low `width` bits of a number, negative ones in two's complement."""
        self._pending = self._pending << width | value & (1 << width) - 1
        self._count += width
        whole, self._count = divmod(self._count, 8)
        if whole:
            self._bytes += (self._pending >> self._count).to_bytes(whole)
            self._pending &= (1 << self._count) - 1

    def finish(self, filler: int) -> bytes:
        """All bytes, the last one filled up with ones or zeros."""
        if self._count:
            width = 8 - self._count
            self.write((1 << width) - 1 if filler else 0, width)
        return bytes(self._bytes)
