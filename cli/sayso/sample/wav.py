"""WAV: 16-bit PCM, and the mu-law of telephone calls (ITU-T G.711)."""

import struct
from collections.abc import Sequence

PCM, MU_LAW = 1, 7
BIAS, CLIP = 33, 8158  # G.711 works on 14-bit magnitudes


def pcm_wav(channels: Sequence[Sequence[int]], rate: int) -> bytes:
    """16-bit samples of equally long channels as a WAV file; `rate` in Hz."""
    frames = [sample for frame in zip(*channels, strict=True) for sample in frame]
    data = struct.pack(f"<{len(frames)}h", *frames)
    form = _format(PCM, len(channels), rate, 2)
    return _riff(form, data)


def mu_law_wav(channels: Sequence[Sequence[int]], rate: int) -> bytes:
    """16-bit samples of equally long channels as a mu-law WAV file; `rate` in Hz."""
    data = bytes(mu_law(s) for frame in zip(*channels, strict=True) for s in frame)
    form = _format(MU_LAW, len(channels), rate, 1) + b"\0\0"  # no extension
    fact = struct.pack("<4sII", b"fact", 4, len(channels[0]))
    return _riff(form, data, fact)


def mu_law(sample: int) -> int:
    """One 16-bit sample as a G.711 byte: sign, three bits of exponent, four of mantissa, inverted."""
    sign = 0x80 if sample < 0 else 0
    magnitude = min(abs(sample) >> 2, CLIP) + BIAS
    exponent = magnitude.bit_length() - 6
    mantissa = magnitude >> exponent + 1 & 0x0F
    return ~(sign | exponent << 4 | mantissa) & 0xFF


def _format(kind: int, channels: int, rate: int, width: int) -> bytes:
    frame = channels * width
    return struct.pack("<HHIIHH", kind, channels, rate, rate * frame, frame, 8 * width)


def _riff(form: bytes, data: bytes, fact: bytes = b"") -> bytes:
    padding = bytes(len(data) % 2)
    body = b"WAVEfmt " + struct.pack("<I", len(form)) + form + fact
    body += b"data" + struct.pack("<I", len(data)) + data + padding
    return b"RIFF" + struct.pack("<I", len(body)) + body
