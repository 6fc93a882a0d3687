"""The protocol `/sayso/batch/1`, by which peers fetch the batch behind an anchored root (rule 10.9).

The request is the root. The answer is the canonical array of the sponsor's key and the license hashes,
joined. It is valid only if it gives the root.
"""

from typing import Final

from sayso_node.errors import NotFound
from sayso_node.store.chain import chain_state
from sayso_node.store.interface import Store
from sayso_protocol.encoding.packing import Reader, fields_of, pack
from sayso_protocol.errors import BadProof, Malformed
from sayso_protocol.ethereum.batches import Batch
from sayso_protocol.primitives import HASH_BYTES

BATCH_ANSWER_BYTES: Final = 4_194_304

_ANSWER: Final[Reader[tuple[bytes, bytes]]] = Reader(fields_of(bytes, bytes), BATCH_ANSWER_BYTES)


def answer_batch(store: Store, request: bytes) -> bytes:
    """Return the answer for a peer; raises Malformed or NotFound."""
    if len(request) != HASH_BYTES:
        raise Malformed("the request must be the root of a batch, 32 bytes")
    with store.read() as db:
        found = chain_state.batch(db, request)
    if found is None:
        raise NotFound("this node has no batch with this root")
    return pack([found.sponsor, b"".join(found.licenses)])


def read_answer(answer: bytes, root: bytes) -> Batch:
    """Read the batch from an answer; raises BadProof if its root is another, or a SaysoError."""
    sponsor, joined = _ANSWER.read(answer)
    if len(sponsor) != HASH_BYTES or not joined or len(joined) % HASH_BYTES:
        raise Malformed("the answer is not a batch")
    starts = range(0, len(joined), HASH_BYTES)
    batch = Batch(sponsor, tuple(joined[start : start + HASH_BYTES] for start in starts))
    if batch.root != root:
        raise BadProof("the batch has another root than the anchored one")
    return batch
