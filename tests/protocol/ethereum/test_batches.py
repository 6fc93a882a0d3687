"""Batches and the proofs of their members (rules 10.1 and 10.2)."""

import hashlib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso_protocol.encoding.merkle import tree_root
from sayso_protocol.errors import BadProof
from sayso_protocol.ethereum.batches import AnchorProof, Batch, anchored_root
from support.protocol_strategies import hashes
from support.statements import NODE_KEY, OTHER_KEY

batches = st.lists(hashes, min_size=1, max_size=40).map(
    lambda licenses: Batch(NODE_KEY, tuple(licenses))
)
SMALL = Batch(NODE_KEY, tuple(bytes([number]) * 32 for number in range(5)))


@given(batches)
def test_the_root_is_the_hash_of_the_bytes_of_rule_10_1(batch: Batch) -> None:
    count = len(batch.licenses).to_bytes(8, "big")
    text = b"sayso batch 1\x00" + NODE_KEY + count + tree_root(batch.licenses)
    assert batch.root == hashlib.sha256(text).digest()


@given(batches, st.data())
def test_every_member_can_be_proved(batch: Batch, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(batch.licenses) - 1))
    batch.proof(index).check(batch.licenses[index], batch.root)


@given(batches, st.data())
def test_a_changed_proof_fails(batch: Batch, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(batch.licenses) - 1))
    proof, member = batch.proof(index), batch.licenses[index]
    stranger = data.draw(hashes.filter(lambda one: one not in batch.licenses))
    with pytest.raises(BadProof):
        proof.check(stranger, batch.root)
    with pytest.raises(BadProof):
        proof.check(member, stranger)
    for changed in (
        replace(proof, sponsor=OTHER_KEY),
        replace(proof, count=proof.count + 1),
        replace(proof, count=proof.count - 1),
        replace(proof, count=0),
        replace(proof, count=-1),
        replace(proof, index=-1),
        replace(proof, index=proof.count),
        replace(proof, tree=stranger),
        replace(proof, tree=b""),
        replace(proof, path=(*proof.path, stranger)),
    ):
        with pytest.raises(BadProof):
            changed.check(member, batch.root)


def test_another_place_in_the_batch_fails() -> None:
    for index in range(5):
        for elsewhere in set(range(5)) - {index}:
            with pytest.raises(BadProof):
                replace(SMALL.proof(index), index=elsewhere).check(SMALL.licenses[index], SMALL.root)


def test_a_batch_beyond_64_bits_is_no_batch() -> None:
    path = (bytes(32),) * 64
    tree = b"\x01" * 32
    with pytest.raises(BadProof):
        AnchorProof(NODE_KEY, (1 << 64) + 1, 1 << 64, (), tree).check(tree, tree)
    with pytest.raises(BadProof):
        AnchorProof(NODE_KEY, 1 << 64, 0, path, tree).check(tree, tree)


@pytest.mark.parametrize(
    ("sponsor", "licenses"),
    [
        (NODE_KEY, ()),
        (NODE_KEY[:-1], (bytes(32),)),
        (b"", (bytes(32),)),
        (NODE_KEY, (bytes(31),)),
        (NODE_KEY, (bytes(32), b"")),
    ],
)
def test_what_is_not_a_batch(sponsor: bytes, licenses: tuple[bytes, ...]) -> None:
    with pytest.raises(BadProof):
        Batch(sponsor, licenses)


@pytest.mark.parametrize("index", [-1, 5])
def test_no_proof_of_what_is_not_there(index: int) -> None:
    with pytest.raises(BadProof):
        SMALL.proof(index)


def test_a_tree_root_does_not_pass_for_an_anchored_one() -> None:
    assert anchored_root(NODE_KEY, 5, SMALL.tree) != SMALL.tree
    with pytest.raises(BadProof):
        SMALL.proof(0).check(SMALL.licenses[0], SMALL.tree)
