"""The state digest: the hash of a sum, which is updated at the cost of the change (rule 9.3).

This is LtHash (Bellare and Micciancio, Eurocrypt 1997; Lewi, Kim, Maykov and Weis, ePrint 2019/227) with
the parameters of lthash16: 1,024 components of 16 bits. Two states with the same digest would solve a
lattice problem; sums or XORs of plain hashes can be forged by linear algebra.
"""

import hashlib
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from sayso_protocol.primitives import HASH_BYTES, sha256

SUM_BYTES = 2_048
EMPTY_SUM = bytes(SUM_BYTES)
_TAG = b"sayso state 1\0"
_COMPONENT = np.dtype(">u2")

StateEntry = tuple[bytes, int, int]  # (address, word, mask)


def changed_sum(total: bytes, added: Iterable[StateEntry], removed: Iterable[StateEntry] = ()) -> bytes:
    """Return the sum, 2,048 bytes, with entries added and removed; entries without bits do not count."""
    components = np.frombuffer(total, _COMPONENT).astype(np.uint16)
    for entry in added:
        if entry[2]:
            components += _expand(entry)
    for entry in removed:
        if entry[2]:
            components -= _expand(entry)
    return components.astype(_COMPONENT).tobytes()


def digest_of_sum(total: bytes) -> bytes:
    """Return the state digest of a sum, 32 bytes (rule 9.3.2)."""
    return sha256(total)


def _expand(entry: StateEntry) -> npt.NDArray[np.uint16]:
    """Return the SHAKE-128 (FIPS 202) of an entry as 1,024 big-endian numbers (rule 9.3.1)."""
    address, word, mask = entry
    data = _TAG + address + word.to_bytes(HASH_BYTES) + mask.to_bytes(HASH_BYTES)
    return np.frombuffer(hashlib.shake_128(data).digest(SUM_BYTES), _COMPONENT)
