"""The codec of sync (rules 11.1 and 11.2): round trips, and no other exception than ours."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso_protocol.errors import Malformed, SaysoError
from sayso_protocol.packing import pack
from sayso_protocol.reconcile import (
    PAGE,
    GetRequest,
    ListRequest,
    Request,
    decode_page,
    decode_request,
    encode_page,
    encode_request,
)
from support.protocol_strategies import hashes

requests = st.builds(ListRequest, st.sampled_from([1, 2]), st.just(b"") | hashes) | st.builds(
    GetRequest, st.lists(hashes, min_size=1, max_size=20).map(tuple)
)
pages = st.lists(hashes, max_size=30, unique=True).map(sorted)


@given(requests)
def test_a_request_reads_back_as_itself(request: Request) -> None:
    assert decode_request(encode_request(request)) == request


@given(pages, st.data())
def test_a_page_reads_back_after_anything_smaller(page: list[bytes], data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(page)))
    after = page[at - 1] if at else b""
    assert decode_page(encode_page(page[at:]), after) == page[at:]
    if at:
        with pytest.raises(Malformed):
            decode_page(encode_page(page), after)


@given(pages.filter(lambda page: len(page) > 1))
def test_a_page_that_does_not_ascend_is_refused(page: list[bytes]) -> None:
    for wrong in (page[::-1], [*page, page[-1]], [*page, page[0]]):
        with pytest.raises(Malformed):
            decode_page(encode_page(wrong), b"")


def test_a_full_page_is_read_and_a_longer_one_is_not() -> None:
    page = [number.to_bytes(32) for number in range(1, PAGE + 1)]
    assert decode_page(encode_page(page), b"") == page
    with pytest.raises(SaysoError):
        decode_page(encode_page([*page, b"\xff" * 32]), b"")


@pytest.mark.parametrize(
    "value", [None, [], [1, 1], [1, 3, b""], [1, 1, b"a"], [2, 0, b""], [2, 2, bytes(32)], [3, 1, b""]]
)
def test_what_is_not_a_request(value: object) -> None:
    with pytest.raises(Malformed):
        decode_request(pack(value))


@given(st.binary(max_size=200))
def test_only_our_errors_come_out_of_bytes(data: bytes) -> None:
    for read in (decode_request, lambda one: decode_page(one, b"")):
        try:
            read(data)
        except SaysoError:
            continue
