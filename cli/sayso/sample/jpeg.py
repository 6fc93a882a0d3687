"""Baseline JPEG (ITU-T T.81) in integers, so that the bytes are the same on every machine.

Full colour resolution, one quantisation table by formula, and flat Huffman codes: the files are somewhat
larger than they could be, and need none of the tables of the standard's Annex K.
"""

import struct
from collections.abc import Iterator, Sequence
from math import cos, pi, sqrt
from operator import mul

from sayso.sample.bits import BitWriter
from sayso.sample.picture import Picture

SCALE = 12  # bits of fraction in the transform
Block = list[int]  # 64 numbers, row by row

_ZIGZAG = sorted(
    range(64),
    key=lambda i: (i // 8 + i % 8, i // 8 if (i // 8 + i % 8) % 2 else i % 8),
)
_QUANT = [4 + 3 * (i // 8 + i % 8) for i in range(64)]  # finer for what the eye sees
_NORM = [sqrt(1 / 8), *[0.5] * 7]
_DCT = [
    [round(_NORM[u] * cos((2 * x + 1) * u * pi / 16) * (1 << SCALE)) for x in range(8)] for u in range(8)
]
_DC_SYMBOLS = list(range(12))  # bit lengths, coded in 4 bits
_AC_SYMBOLS = [0x00, 0xF0, *(run << 4 | size for run in range(16) for size in range(1, 11))]  # 8 bits
_AC_CODE = {symbol: code for code, symbol in enumerate(_AC_SYMBOLS)}
END_OF_BLOCK, SIXTEEN_ZEROS = 0x00, 0xF0


def jpeg(picture: Picture) -> bytes:
    """Encode a picture as a JFIF file."""
    size = struct.pack(">BHHB", 8, picture.height, picture.width, 3)
    parts = [
        b"\xff\xd8",
        _segment(0xE0, b"JFIF\0" + struct.pack(">HBHHBB", 0x0102, 0, 1, 1, 0, 0)),
        _segment(0xDB, b"\0" + bytes(_QUANT[i] for i in _ZIGZAG)),
        _segment(0xC0, size + b"\1\x11\0\2\x11\0\3\x11\0"),
        _segment(0xC4, b"\x00" + _huffman_table(_DC_SYMBOLS, 4)),
        _segment(0xC4, b"\x10" + _huffman_table(_AC_SYMBOLS, 8)),
        _segment(0xDA, b"\3\1\0\2\0\3\0" + b"\0\x3f\0"),
        _scan(picture),
        b"\xff\xd9",
    ]
    return b"".join(parts)


def _segment(marker: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body


def _huffman_table(symbols: Sequence[int], width: int) -> bytes:
    """All codes `width` bits long, in the order of the symbols."""
    counts = bytes(len(symbols) if length == width else 0 for length in range(1, 17))
    return counts + bytes(symbols)


def _scan(picture: Picture) -> bytes:
    bits = BitWriter()
    before = [0, 0, 0]  # DC of the last block of each component
    for top in range(0, picture.height, 8):
        for left in range(0, picture.width, 8):
            for component, block in enumerate(_components(picture, left, top)):
                coefficients = _quantised(block)
                _write_block(bits, coefficients, coefficients[0] - before[component])
                before[component] = coefficients[0]
    return bits.finish(1).replace(b"\xff", b"\xff\0")


def _components(picture: Picture, left: int, top: int) -> Iterator[Block]:
    """Y, Cb and Cr of eight by eight pixels, less 128; the edge is repeated outwards."""
    pixels = [picture.at(left + x, top + y) for y in range(8) for x in range(8)]
    yield [(19595 * r + 38470 * g + 7471 * b >> 16) - 128 for r, g, b in pixels]
    yield [-11059 * r - 21709 * g + 32768 * b >> 16 for r, g, b in pixels]
    yield [32768 * r - 27439 * g - 5329 * b >> 16 for r, g, b in pixels]


def _quantised(block: Block) -> Block:
    """Discrete cosine transform, rows then columns, divided by the table, in zigzag order."""
    lines = [block[start : start + 8] for start in range(0, 64, 8)]
    rows = [[sum(map(mul, basis, line)) for basis in _DCT] for line in lines]
    columns = list(zip(*rows, strict=True))
    out = []
    for i in _ZIGZAG:
        v, u = divmod(i, 8)
        value = sum(map(mul, _DCT[v], columns[u]))
        step = _QUANT[i] << 2 * SCALE
        out.append((value + step // 2) // step)
    return out


def _write_block(bits: BitWriter, coefficients: Block, difference: int) -> None:
    bits.write(difference_size := abs(difference).bit_length(), 4)
    _write_signed(bits, difference, difference_size)
    last = max((i for i in range(1, 64) if coefficients[i]), default=0)
    run = 0
    for value in coefficients[1 : last + 1]:
        if value == 0:
            run += 1
            continue
        for _ in range(run // 16):
            bits.write(_AC_CODE[SIXTEEN_ZEROS], 8)
        size = abs(value).bit_length()
        bits.write(_AC_CODE[run % 16 << 4 | size], 8)
        _write_signed(bits, value, size)
        run = 0
    if last < 63:
        bits.write(_AC_CODE[END_OF_BLOCK], 8)


def _write_signed(bits: BitWriter, value: int, size: int) -> None:
    """T.81 F.1.2.1: the low bits of a negative number are those of the number less one."""
    bits.write(value if value >= 0 else value - 1, size)
