"""JSON from strangers: depth is judged before Python's parser, which may end the process."""

import json
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso_protocol.encoding.json_text import NESTING, parse_json
from sayso_protocol.errors import Malformed

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.sampled_from(['"', "\\", '\\"[', "[[{"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=60,
)


@given(values)
def test_reads_what_json_says(value: object) -> None:
    assert parse_json(json.dumps(value).encode()) == value
    assert parse_json(json.dumps([value] * 70).encode()) == [value] * 70


@given(st.text(alphabet='[]{}"\\x'))
def test_brackets_in_strings_are_no_depth(text: str) -> None:
    many = [text + "[" * 100] * 3
    assert parse_json(json.dumps(many).encode()) == many


def test_the_limit_itself() -> None:
    assert parse_json(b"[" * NESTING + b"]" * NESTING) is not None
    with pytest.raises(Malformed, match="deep"):
        parse_json(b"[" * (NESTING + 1) + b"]" * (NESTING + 1))


@pytest.mark.parametrize("opening", [b"[", b'{"a":', b'["\\"",', b'"", [' * 2])
def test_depth_never_reaches_the_parser(opening: bytes) -> None:
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(100_000)  # as eth-account's dependencies do
    try:
        with pytest.raises(Malformed, match=r"deep|Expecting|Extra"):
            parse_json(opening * 200_000)
    finally:
        sys.setrecursionlimit(limit)
