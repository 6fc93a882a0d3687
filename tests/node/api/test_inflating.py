"""A compressed body never becomes much more than it was, nor many bytes at once."""

import gzip
import random
import zlib

import pytest

from sayso_node.api.http.inflating import FREE_BYTES, PIECE_BYTES, RATIO, Inflater
from sayso_node.errors import BadRequest
from sayso_protocol.errors import TooLarge

BODY = random.Random(7).randbytes(200_000)
PACKED = {"identity": BODY, "gzip": gzip.compress(BODY), "deflate": zlib.compress(BODY)}


def inflated(encoding: str, data: bytes, step: int = 4_000) -> bytes:
    inflater, body = Inflater(encoding), b""
    for start in range(0, len(data), step):
        for piece in inflater.feed(data[start : start + step]):
            assert len(piece) <= PIECE_BYTES
            body += piece
    inflater.finish()
    return body


@pytest.mark.parametrize("encoding", PACKED)
@pytest.mark.parametrize("step", [1_000, 65_536, 1_000_000])
def test_a_body_comes_out_as_it_went_in(encoding: str, step: int) -> None:
    if encoding != "identity" or step <= PIECE_BYTES:
        assert inflated(encoding, PACKED[encoding], step) == BODY


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_a_bomb_is_refused_before_it_has_grown(encoding: str) -> None:
    pack = gzip.compress if encoding == "gzip" else zlib.compress
    data = pack(bytes(256 << 20))
    assert len(data) < 300_000
    grown: list[bytes] = []
    with pytest.raises(TooLarge):
        grown.extend(Inflater(encoding).feed(data[:32_768]))
    assert sum(map(len, grown)) <= FREE_BYTES + RATIO * 32_768


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
@pytest.mark.parametrize("wrong", [b"", b"x", PACKED["gzip"][:-9], PACKED["deflate"][:-5], b"{}"])
def test_what_is_cut_or_no_encoding(encoding: str, wrong: bytes) -> None:
    with pytest.raises(BadRequest):
        inflated(encoding, wrong)


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_nothing_may_follow(encoding: str) -> None:
    for more in (b"x", PACKED[encoding]):
        with pytest.raises(BadRequest):
            inflated(encoding, PACKED[encoding] + more, 1_000_000)
