"""By which final blocks bits were set: events of the registry, or anchors of revocations (rule 15.3).

Only bits that are set are looked up further, so what nobody revoked costs what a verdict costs.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final

from sayso_node.store import many
from sayso_node.store.chain import chain_state
from sayso_node.store.interface import Reading
from sayso_node.store.revocations.known_bits import StoreBits
from sayso_protocol.messages.envelope import decode
from sayso_protocol.messages.message import as_kind
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.network import Network
from sayso_protocol.permissions.words import Masks
from sayso_protocol.primitives import HASH_BYTES
from sayso_protocol.traces.landings import NOT_REVOKED, UNDATED
from sayso_protocol.verdicts.covering import Place
from sayso_protocol.verdicts.known_bits import set_places

BATCHED: Final = 1_024  # revocations of one address in one question, whose anchors are looked at
Set = Mapping[int, Sequence[tuple[int, int]]]  # heights and masks, by word


class StoreMoments:
    """See Moments; `final` is the height of the last final block, or -1."""

    def __init__(self, db: Reading, network: Network, final: int) -> None:
        self._db, self._network, self._final = db, network, final
        self._bits = StoreBits(db)

    def of(self, places: Sequence[Place]) -> list[int]:
        """See Moments."""
        speakers = self._bits.speakers({one.address for one in places})
        asked = [at for at, one in enumerate(places) if one.address in speakers]
        flags = set_places(self._bits, [places[at] for at in asked])
        held = [at for at, is_set in zip(asked, flags, strict=True) if is_set]
        found = [NOT_REVOKED] * len(places)
        words: dict[bytes, set[int]] = {}
        for at in held:
            words.setdefault(places[at].address, set()).add(places[at].word)
        blocks = {address: self._blocks(address, some) for address, some in words.items()}
        for at in held:
            one = places[at]
            heights = (
                height for height, mask in blocks[one.address].get(one.word, ()) if mask >> one.bit & 1
            )
            found[at] = min(heights, default=UNDATED)
        return found

    def _blocks(self, address: bytes, words: Collection[int]) -> Set:
        names = sorted(one.to_bytes(HASH_BYTES) for one in words)
        found: dict[int, list[tuple[int, int]]] = {}
        query = (
            "SELECT word, block_number, mask FROM landed"
            " WHERE address = ? AND block_number <= ? AND word IN"
        )
        for word, height, mask in many.among(self._db, query, names, (address, self._final)):
            found.setdefault(int.from_bytes(word), []).append((height, int.from_bytes(mask)))
        for height, bits in self._batched(address, names):
            for word, mask in bits.items():
                found.setdefault(word, []).append((height, mask))
        return found

    def _batched(self, address: bytes, names: Iterable[bytes]) -> list[tuple[int, Masks]]:
        """Return the bits of anchored revocations with these words, each with the height."""
        query = "SELECT digest FROM carriers WHERE address = ? AND word IN"
        carriers = sorted({digest for (digest,) in many.among(self._db, query, names, (address,))})
        heights = chain_state.first_anchors(self._db, carriers[:BATCHED], self._final)
        bodies = many.among(self._db, "SELECT digest, body FROM messages WHERE digest IN", heights)
        return [
            (heights[digest], as_kind(decode(body, self._network).message, Revocation).bits)
            for digest, body in bodies
        ]
