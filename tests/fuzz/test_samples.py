"""Attacks that once worked, at their full size: what a decoder builds before it refuses is counted."""

import sys
import tracemalloc
from collections.abc import Callable

import pytest

from fuzz.target import attempt
from fuzz.targets import TARGETS

MIB: int = 1 << 20
CHECK = TARGETS["POST /v1/check application/json"].read
MESSAGES = TARGETS["POST /v1/messages application/msgpack"].read
SYNC = TARGETS["sync request"].read
TABLE = b"\xdc\x04\x00" + (b"\xdc\x04\x00" + b"\xc0" * 1_024) * 1_024
ATTACKS: dict[str, tuple[Callable[[bytes], object], bytes]] = {
    "a long text instead of a check": (CHECK, b'["' + b"a" * (32 * MIB) + b'"]'),
    "a long text with brackets": (CHECK, b"[" * 65 + b'"' + b"[\\\\" * (8 * MIB)),
    "long hex for a grantee": (CHECK, b'{"grantee":"0x' + b"ab" * (8 * MIB) + b'"}'),
    "a million rows of nothing": (CHECK, b'{"rows":[' + b'["",""],' * MIB + b"0]}"),
    "a bundle of a million nils": (MESSAGES, TABLE),
    "a bundle with a wrong end": (MESSAGES, b"\xdc\x04\x00" + b"\xc4\x00" * 1_023 + TABLE),
    "a question of a million nils": (SYNC, b"\x95\x01" + TABLE[: MIB - 2]),
    "an offer of lists": (SYNC, b"\x92\x06" + TABLE[: MIB - 2]),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_that_once_took_gigabytes_or_seconds(name: str) -> None:
    read, data = ATTACKS[name]
    calls = 0

    def count(_frame: object, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event in {"call", "c_call"}

    tracemalloc.start()
    sys.setprofile(count)
    try:
        assert not attempt(TARGETS["packing"]._replace(read=read), data)
    finally:
        sys.setprofile(None)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < 3 * len(data) + MIB
    assert calls < 2_000


def test_an_invalid_message_is_decoded_once_however_many_there_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Bisection repeats only what is judged of whole tables."""
    from sayso_protocol.messages import envelope
    from support.protocol_strategies import NETWORK

    read, row = 0, envelope._row

    def counted(data: bytes) -> object:
        nonlocal read
        read += 1
        return row(data)

    monkeypatch.setattr(envelope, "_row", counted)
    bodies = [b"\x97\x01\x01" + bytes([number % 128]) * 40 for number in range(1_024)]
    assert len(envelope.decode_all(bodies, NETWORK)) == read == 1_024
