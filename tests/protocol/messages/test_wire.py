"""Bundles, the frames of gossip, and the names of topics (rules 7.1 and 7.10)."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso_protocol.encoding.packing import pack
from sayso_protocol.errors import Malformed, NotCanonical, SaysoError, TooLarge
from sayso_protocol.limits import LIMITS
from sayso_protocol.messages.message import CONSENT, REVOCATION
from sayso_protocol.messages.wire import TOPICS, bundles, decode_bundle, encode_bundle
from support.protocol_strategies import NETWORK

contents = st.lists(st.binary(max_size=400), min_size=1, max_size=40)


@given(contents)
def test_a_bundle_holds_what_was_put_in(envelopes: list[bytes]) -> None:
    assert decode_bundle(encode_bundle(envelopes)) == envelopes


@given(contents, st.integers(10, 2_000))
def test_frames_keep_order_and_limit(envelopes: list[bytes], limit: int) -> None:
    frames = list(bundles(envelopes, limit))
    opened = [decode_bundle(frame) for frame in frames]
    assert [one for bundle in opened for one in bundle] == envelopes
    for frame, bundle in zip(frames, opened, strict=True):
        assert len(frame) <= limit or len(bundle) == 1
    for bundle, following in pairwise(opened):
        assert sum(map(len, [*bundle, following[0]])) + 5 * (len(bundle) + 2) > limit


def test_frames_are_filled_and_not_overfilled() -> None:
    frames = list(bundles([bytes(100)] * 50, 1_000))
    assert all(len(frame) <= 1_000 for frame in frames)
    assert [len(decode_bundle(frame)) for frame in frames] == [9, 9, 9, 9, 9, 5]


def test_the_largest_message_fits_a_frame() -> None:
    largest = bytes(LIMITS.message_bytes)
    (frame,) = bundles([largest])
    assert len(frame) <= LIMITS.frame_bytes
    assert decode_bundle(frame) == [largest]


def test_no_messages_no_frames() -> None:
    assert list(bundles([])) == []


@pytest.mark.parametrize(
    ("frame", "error"),
    [
        (b"", Malformed),
        (b"\x90", Malformed),
        (b"\xc0", Malformed),
        (b"\x01", Malformed),
        (b"\xc4\x01a", Malformed),
        (pack(["text"]), Malformed),
        (pack([b"a", None]), Malformed),
        (pack([[b"a"]]), Malformed),
        (pack([b""] * 1_025), Malformed),
        (b"\x81\x00\xc4\x01a", Malformed),
        (pack([b"a"]) + b"\0", Malformed),
        (b"\xdc\x00\x01\xc4\x01a", NotCanonical),
        (b"\x91\xc5\x00\x01a", NotCanonical),
        (pack([bytes(65_540)]), TooLarge),
    ],
)
def test_what_is_not_a_bundle(frame: bytes, error: type[SaysoError]) -> None:
    with pytest.raises(error):
        decode_bundle(frame)


@given(st.binary(max_size=200))
def test_only_our_errors_come_out_of_frames(frame: bytes) -> None:
    try:
        envelopes = decode_bundle(frame)
    except SaysoError:
        return
    assert encode_bundle(envelopes) == frame


def test_topics_name_the_network_in_lower_case() -> None:
    registry = "0x" + NETWORK.registry.hex()
    assert TOPICS[CONSENT].on(NETWORK) == f"/sayso/1/31337/{registry}/consents"
    assert TOPICS[REVOCATION].on(NETWORK) == f"/sayso/1/31337/{registry}/revocations"


def test_many_small_messages_are_still_bundles_that_can_be_read() -> None:
    envelopes = [b"%d" % number for number in range(3 * LIMITS.items + 1)]
    frames = list(bundles(envelopes, 4_194_304))
    assert len(frames) == 4
    assert [one for frame in frames for one in decode_bundle(frame, 4_194_304)] == envelopes
