"""FLAC (RFC 9639) with second-order fixed prediction and one Rice parameter a block."""

import hashlib
import struct
from collections.abc import Sequence

from sayso.sample.bits import BitWriter

BLOCK = 4096  # samples a frame
WIDTH = 16  # bits a sample
ORDER = 2  # of the fixed predictor
SYNC = 0x3FFE
SIZE_FOLLOWS, RATE_AS_ABOVE, SIXTEEN_BITS = 0b0111, 0b0000, 0b100
FIXED = 0b001000


def flac(samples: Sequence[int], rate: int) -> bytes:
    """16-bit mono samples as a FLAC file; `rate` in Hz."""
    blocks = [samples[start : start + BLOCK] for start in range(0, len(samples), BLOCK)]
    frames = b"".join(_frame(block, number) for number, block in enumerate(blocks))
    return b"fLaC" + _stream_info(samples, rate) + frames


def _stream_info(samples: Sequence[int], rate: int) -> bytes:
    bits = BitWriter()
    bits.write(0x80, 8)  # the last metadata block, of type 0
    bits.write(34, 24)  # bytes
    bits.write(BLOCK, 16)
    bits.write(BLOCK, 16)
    bits.write(0, 48)  # frame sizes unknown
    bits.write(rate, 20)
    bits.write(0, 3)  # channels - 1
    bits.write(WIDTH - 1, 5)
    bits.write(len(samples), 36)
    raw = struct.pack(f"<{len(samples)}h", *samples)
    return bits.finish(0) + hashlib.md5(raw, usedforsecurity=False).digest()


def _frame(block: Sequence[int], number: int) -> bytes:
    head = BitWriter()
    head.write(SYNC << 2, 16)
    head.write(SIZE_FOLLOWS << 4 | RATE_AS_ABOVE, 8)
    head.write(SIXTEEN_BITS << 1, 8)  # one channel
    head.write(number, 8)  # in UTF-8, which these short clips keep to one byte
    head.write(len(block) - 1, 16)
    header = head.finish(0)
    header += _crc(header, 0x07, 8)
    body = BitWriter()
    _subframe(body, block)
    frame = header + body.finish(0)
    return frame + _crc(frame, 0x8005, 16)


def _subframe(bits: BitWriter, block: Sequence[int]) -> None:
    order = min(ORDER, len(block))
    bits.write((FIXED | order) << 1, 8)
    for sample in block[:order]:
        bits.write(sample, WIDTH)
    past = zip(block, block[1:], block[2:], strict=False)
    residual = [now - 2 * before + earlier for earlier, before, now in past]
    folded = [2 * r if r >= 0 else -2 * r - 1 for r in residual]
    parameter = min(range(15), key=lambda k: sum((f >> k) + 1 + k for f in folded))
    bits.write(0, 6)  # Rice codes with 4-bit parameters, one partition
    bits.write(parameter, 4)
    for value in folded:
        bits.write(1, (value >> parameter) + 1)
        bits.write(value, parameter)


def _crc(data: bytes, polynomial: int, width: int) -> bytes:
    remainder = 0
    for byte in data:
        remainder ^= byte << width - 8
        for _ in range(8):
            remainder <<= 1
            if remainder >> width:
                remainder ^= 1 << width | polynomial
    return remainder.to_bytes(width // 8)
