"""RLP and trie proofs against the libraries of the Ethereum Python team, and against liars."""

from typing import Any

import pytest
import rlp  # type: ignore[import-untyped]
from hypothesis import given
from hypothesis import strategies as st
from trie.hexary import HexaryTrie

from sayso_protocol.errors import BadProof
from sayso_protocol.ethereum.tries import EMPTY_ROOT, decode_rlp, encode_rlp, number_bytes, trie_value
from sayso_protocol.primitives import keccak

values = st.recursive(
    st.binary(max_size=70) | st.binary(min_size=256, max_size=300),
    lambda inner: st.lists(inner, max_size=5),
    max_leaves=12,
)


@given(values)
def test_rlp_is_that_of_the_library(value: Any) -> None:
    encoded = encode_rlp(value)
    assert encoded == rlp.encode(value)
    assert decode_rlp(encoded) == value


@given(st.binary(max_size=80))
def test_what_the_library_refuses_is_refused(data: bytes) -> None:
    try:
        expected = rlp.decode(data, strict=True)
    except Exception:  # noqa: BLE001 - whatever it raises
        with pytest.raises(BadProof):
            decode_rlp(data)
        return
    assert decode_rlp(data) == _lists(expected)


def _lists(value: Any) -> Any:
    return [_lists(one) for one in value] if isinstance(value, list | tuple) else bytes(value)


@pytest.mark.parametrize(
    "data",
    [
        "",
        "81",
        "8101",
        "b800",
        "b837" + "00" * 55,
        "b90001",
        "c101" + "01",
        "f800",
        "bf" + "ff" * 8,
        "c2",
    ],
)
def test_rlp_that_is_none(data: str) -> None:
    with pytest.raises(BadProof):
        decode_rlp(bytes.fromhex(data))


def test_rlp_without_end() -> None:
    with pytest.raises(BadProof):
        decode_rlp(b"\xc1" * 5_000)


@given(st.integers(0, 1 << 256))
def test_numbers(number: int) -> None:
    assert rlp.encode(number) == encode_rlp(number_bytes(number))


keys = st.binary(min_size=1, max_size=3)
contents = st.dictionaries(keys, st.binary(min_size=1, max_size=40), max_size=40)


def made(content: dict[bytes, bytes], *, hashed: bool) -> HexaryTrie:
    trie = HexaryTrie({})
    for key, value in content.items():
        trie[keccak(key) if hashed else key.ljust(3, b"\0")] = value
    return trie


def proof(trie: HexaryTrie, key: bytes) -> list[bytes]:
    return [rlp.encode(node) for node in trie.get_proof(key)]  # type: ignore[no-untyped-call]


@given(contents, keys, st.booleans())
def test_what_is_there_and_what_is_not(content: dict[bytes, bytes], other: bytes, hashed: bool) -> None:
    trie = made(content, hashed=hashed)
    for key in [*content, other]:
        place = keccak(key) if hashed else key.ljust(3, b"\0")
        found = trie_value(trie.root_hash, place, proof(trie, place))
        assert found == (trie[place] or None)


@given(contents.filter(bool), st.data())
def test_no_proof_that_was_changed_shows_anything_else(
    content: dict[bytes, bytes], data: st.DataObject
) -> None:
    trie = made(content, hashed=True)
    place = keccak(data.draw(st.sampled_from(sorted(content))))
    nodes = proof(trie, place)
    at = data.draw(st.integers(0, len(nodes) - 1))
    spot = data.draw(st.integers(0, len(nodes[at]) - 1))
    changed = bytearray(nodes[at])
    changed[spot] ^= data.draw(st.integers(1, 255))
    for lie in ([*nodes[:at], bytes(changed), *nodes[at + 1 :]], nodes[:at] + nodes[at + 1 :], []):
        try:
            assert trie_value(trie.root_hash, place, lie) == trie[place]
        except BadProof:
            continue


def test_a_missing_node_is_no_absence() -> None:
    trie = made({bytes([one]): b"x" * 40 for one in range(50)}, hashed=True)
    place = keccak(bytes([7]))
    nodes = proof(trie, place)
    for at in range(len(nodes) - 1):
        if len(nodes[at]) >= 32:
            with pytest.raises(BadProof):
                trie_value(trie.root_hash, place, nodes[:at] + nodes[at + 1 :])
    with pytest.raises(BadProof):
        trie_value(b"\x01" * 32, place, nodes)
    assert trie_value(EMPTY_ROOT, place, []) is None


@given(st.binary(max_size=80), st.binary(min_size=32, max_size=32))
def test_a_root_of_garbage(garbage: bytes, key: bytes) -> None:
    try:
        trie_value(keccak(garbage), key, [garbage])
    except BadProof:
        return
