"""Random receipts and acknowledgements of the test node, and a network file that trusts it."""

from hypothesis import strategies as st
from nacl.signing import SigningKey

from sayso_protocol.network_file import NetworkFile, Operator
from sayso_protocol.primitives import sha256
from sayso_protocol.receipts.receipt import (
    Acknowledgement,
    ChainPoint,
    Receipt,
    count_reasons,
)
from sayso_protocol.verdicts.verdict import Reason
from support.protocol_strategies import NETWORK, NODE, addresses, hashes, purposes
from support.receipt_values import number_reasons

OTHER_NODE = SigningKey(sha256(b"sayso other node"))
NODE_KEY, OTHER_KEY = bytes(NODE.verify_key), bytes(OTHER_NODE.verify_key)
TRUSTED = NetworkFile(
    NETWORK, 1, 12, (Operator("north", NODE_KEY), Operator("south", OTHER_KEY, url="http://south"))
)

numbers = st.integers(0, (1 << 53) - 1)
texts = st.text(st.characters(codec="utf-8"), max_size=30)
points = st.builds(ChainPoint, numbers, hashes)
counts = st.lists(st.sampled_from(Reason), max_size=20).map(number_reasons).map(count_reasons)
heeds = st.sets(addresses.filter(any), max_size=16).map(sorted).map(tuple)
receipts = st.builds(
    Receipt,
    network=st.just(NETWORK),
    node_key=st.just(NODE_KEY),
    grantee=addresses,
    purpose=purposes,
    max_age_s=numbers,
    run_id=texts,
    nonce=st.binary(max_size=32),
    manifest_root=hashes,
    results_root=hashes,
    counts=counts,
    sequence=numbers,
    state=hashes,
    block=points,
    time=numbers,
    run_until=numbers,
    until=numbers,
    heed=heeds,
)
acknowledgements = st.builds(
    Acknowledgement,
    network=st.just(NETWORK),
    node_key=st.just(NODE_KEY),
    digest=hashes,
    block=points,
    time=numbers,
)
