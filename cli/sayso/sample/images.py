"""PNG, GIF, BMP and TIFF without compression, because compressors differ from version to version."""

import struct
import zlib
from collections.abc import Sequence

from sayso.sample.picture import Picture

STORED_MAX = 0xFFFF  # bytes of a stored deflate block
DOTS = 2835  # a metre, that is 72 an inch
SHORT, LONG = 3, 4  # TIFF field types
GIF_CLEAR, GIF_END = 64, 65  # codes after those of 64 colours
GIF_RUN = 60  # pixels after which the table would need codes of 8 bits


def png(picture: Picture) -> bytes:
    """RGB PNG (ISO 15948) of stored deflate blocks."""
    row = 3 * picture.width
    rows = range(0, len(picture.rgb), row)
    raw = b"".join(b"\0" + picture.rgb[start : start + row] for start in rows)
    header = struct.pack(">IIBBBBB", picture.width, picture.height, 8, 2, 0, 0, 0)
    chunks = _chunk(b"IHDR", header) + _chunk(b"IDAT", _stored(raw)) + _chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _stored(raw: bytes) -> bytes:
    """A zlib stream (RFC 1950, 1951) that holds its input as it is."""
    blocks = [raw[start : start + STORED_MAX] for start in range(0, len(raw), STORED_MAX)]
    out = b"\x78\x01"
    for block in blocks:
        size = len(block)
        out += struct.pack("<BHH", block is blocks[-1], size, size ^ 0xFFFF) + block
    return out + struct.pack(">I", zlib.adler32(raw))


def bmp(picture: Picture) -> bytes:
    """24-bit BMP, bottom row first."""
    row = 3 * picture.width
    padding = bytes(-row % 4)
    data = b""
    for start in range(len(picture.rgb) - row, -1, -row):
        line = picture.rgb[start : start + row]
        line[0::3], line[2::3] = line[2::3], line[0::3]
        data += line + padding
    size = (picture.width, picture.height)
    header = struct.pack("<IiiHHIIiiII", 40, *size, 1, 24, 0, len(data), DOTS, DOTS, 0, 0)
    return struct.pack("<2sIHHI", b"BM", 54 + len(data), 0, 0, 54) + header + data


def grey_tiff(picture: Picture) -> bytes:
    """8-bit greyscale TIFF 6.0 in one strip, as a scanner delivers it."""
    rgb = picture.rgb
    grey = bytes((r + 2 * g + b) // 4 for r, g, b in zip(rgb[0::3], rgb[1::3], rgb[2::3], strict=True))
    entries = [
        (256, LONG, picture.width),
        (257, LONG, picture.height),
        (258, SHORT, 8),  # bits a sample
        (259, SHORT, 1),  # no compression
        (262, SHORT, 1),  # zero is black
        (273, LONG, 8),  # the strip begins after the header
        (277, SHORT, 1),  # samples a pixel
        (278, LONG, picture.height),
        (279, LONG, len(grey)),
    ]
    pixels = grey + bytes(len(grey) % 2)
    directory = struct.pack("<H", len(entries))
    directory += b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in entries)
    return struct.pack("<2sHI", b"II", 42, 8 + len(pixels)) + pixels + directory + bytes(4)


def gif(frames: Sequence[Picture], delay_cs: int) -> bytes:
    """GIF 89a in 64 colours that loops; `delay_cs` in hundredths of a second."""
    first = frames[0]
    levels = (0, 85, 170, 255)
    palette = bytes(value for r in levels for g in levels for b in levels for value in (r, g, b))
    out = b"GIF89a" + struct.pack("<HHBBB", first.width, first.height, 0xF5, 0, 0) + palette
    out += b"\x21\xff\x0bNETSCAPE2.0\x03\x01" + struct.pack("<HB", 0, 0)
    for frame in frames:
        out += b"\x21\xf9\x04\x00" + struct.pack("<HBB", delay_cs, 0, 0)
        out += b"\x2c" + struct.pack("<HHHHB", 0, 0, frame.width, frame.height, 0)
        out += b"\x06" + _gif_blocks(frame)
    return out + b"\x3b"


def _gif_blocks(frame: Picture) -> bytes:
    """LZW data whose table is cleared before it grows, so that every code is 7 bits of one pixel."""
    reds, greens, blues = frame.rgb[0::3], frame.rgb[1::3], frame.rgb[2::3]
    pixels = [r >> 6 << 4 | g >> 6 << 2 | b >> 6 for r, g, b in zip(reds, greens, blues, strict=True)]
    codes: list[int] = []
    for start in range(0, len(pixels), GIF_RUN):
        codes += [GIF_CLEAR, *pixels[start : start + GIF_RUN]]
    # The first code in the lowest bits: one long number, written from its end.
    number = int("".join(f"{code:07b}" for code in reversed([*codes, GIF_END])), 2)
    data = number.to_bytes((7 * (len(codes) + 1) + 7) // 8, "little")
    parts = [data[start : start + 255] for start in range(0, len(data), 255)]
    return b"".join(bytes([len(part)]) + part for part in parts) + b"\0"
