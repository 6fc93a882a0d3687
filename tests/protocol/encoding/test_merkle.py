"""Both hash trees against recursive definitions written from the specification alone."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso_protocol.encoding.merkle import (
    check_path,
    content_root,
    leaf_hash,
    node_hash,
    tree_path,
    tree_paths,
    tree_root,
)
from sayso_protocol.errors import BadProof, InvalidConsent
from sayso_protocol.limits import LIMITS
from support.protocol_strategies import hashes, item_hashes

leaf_lists = st.lists(st.binary(max_size=6), min_size=1, max_size=70)
sizes = st.sampled_from([1, 2, 31, 32, 33, 64, 1_023, 1_024]) | st.integers(1, LIMITS.items)


def sha(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def item_tree(items: list[bytes], level: int) -> bytes:
    """Rule 4.1: the node of this level over at most 32^(level + 1) items."""
    if level == 0:
        return sha(b"\x01\x00" + b"".join(items))
    width = 32**level
    children = [item_tree(items[at : at + width], level - 1) for at in range(0, len(items), width)]
    return sha(b"\x01" + bytes([level]) + b"".join(children))


def half(count: int) -> int:
    """The largest power of two below `count`."""
    power = 1
    while power * 2 < count:
        power *= 2
    return power


def mth(leaves: list[bytes]) -> bytes:
    """RFC 9162 2.1.1, Merkle Tree Hash."""
    if not leaves:
        return sha(b"")
    if len(leaves) == 1:
        return sha(b"\x00" + leaves[0])
    k = half(len(leaves))
    return sha(b"\x01" + mth(leaves[:k]) + mth(leaves[k:]))


def path(m: int, leaves: list[bytes]) -> list[bytes]:
    """RFC 9162 2.1.3.1, PATH(m, D[n])."""
    if len(leaves) == 1:
        return []
    k = half(len(leaves))
    if m < k:
        return [*path(m, leaves[:k]), mth(leaves[k:])]
    return [*path(m - k, leaves[k:]), mth(leaves[:k])]


@given(sizes)
def test_item_root_is_the_recursive_one(count: int) -> None:
    items = list(item_hashes(count))
    top = 0 if count <= 32 else 1
    assert content_root(items) == item_tree(items, top)


@given(st.integers(2, 80), st.data())
def test_item_root_depends_on_order_and_every_item(count: int, data: st.DataObject) -> None:
    items = list(item_hashes(count))
    at = data.draw(st.integers(0, count - 2))
    swapped = [*items[:at], items[at + 1], items[at], *items[at + 2 :]]
    other = [*items[:at], data.draw(hashes), *items[at + 1 :]]
    roots = {content_root(one) for one in (items, swapped, other, items[:-1])}
    assert len(roots) == 4


def test_a_consent_without_items_has_no_root() -> None:
    with pytest.raises(InvalidConsent):
        content_root([])


def test_an_inner_node_does_not_pass_for_an_item() -> None:
    items = item_hashes(64)
    rows = [sha(b"\x01\x00" + b"".join(items[:32])), sha(b"\x01\x00" + b"".join(items[32:]))]
    assert content_root(rows) != content_root(items)


@given(st.lists(st.binary(max_size=6), max_size=70))
def test_tree_root_is_that_of_the_rfc(leaves: list[bytes]) -> None:
    assert tree_root(leaves) == mth(leaves)


@given(leaf_lists, st.data())
def test_paths_are_those_of_the_rfc_and_check(leaves: list[bytes], data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(leaves) - 1))
    found = tree_path(leaves, index)
    assert found == path(index, leaves)
    check_path(leaves[index], index, len(leaves), found, tree_root(leaves))


@given(leaf_lists)
def test_all_paths_at_once_are_those_one_by_one(leaves: list[bytes]) -> None:
    one_by_one = [tuple(tree_path(leaves, index)) for index in range(len(leaves))]
    assert tree_paths(leaves) == (tree_root(leaves), one_by_one)


@given(leaf_lists, st.data())
def test_a_path_leads_from_one_place_only(leaves: list[bytes], data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(leaves) - 1))
    elsewhere = data.draw(st.integers(-1, len(leaves) + 1).filter(lambda at: at != index))
    leaf, steps, root = leaves[index], tree_path(leaves, index), tree_root(leaves)
    # With equal neighbours two places hold the same leaf; then the path must differ or be right.
    right = 0 <= elsewhere < len(leaves) and (leaf, steps) == (
        leaves[elsewhere],
        tree_path(leaves, elsewhere),
    )
    if not right:
        with pytest.raises(BadProof):
            check_path(leaf, elsewhere, len(leaves), steps, root)


@given(leaf_lists, st.data())
def test_any_change_of_a_proof_is_found(leaves: list[bytes], data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(leaves) - 1))
    leaf, count = leaves[index], len(leaves)
    steps, root = tree_path(leaves, index), tree_root(leaves)
    at = data.draw(st.integers(0, max(0, len(steps) - 1)))
    changed = [*steps[:at], sha(b"another"), *steps[at + 1 :]]
    for wrong in (
        (leaf + b"x", steps, root),
        (leaf, [*steps, sha(b"one more")], root),
        (leaf, changed, root),
        (leaf, steps, sha(root)),
        (leaf, steps[:-1] if steps else [root], root),
    ):
        with pytest.raises(BadProof):
            check_path(wrong[0], index, count, wrong[1], wrong[2])


@pytest.mark.parametrize("index", [-1, 3])
def test_there_is_no_path_of_a_leaf_that_is_not_there(index: int) -> None:
    with pytest.raises(BadProof):
        tree_path([b"a", b"b", b"c"], index)
    with pytest.raises(BadProof):
        check_path(b"a", index, 3, [], tree_root([b"a", b"b", b"c"]))


def test_a_node_does_not_pass_for_a_leaf() -> None:
    left, right = leaf_hash(b"a"), leaf_hash(b"b")
    with pytest.raises(BadProof):
        check_path(left + right, 0, 1, [], node_hash(left, right))
