"""The judge that reads the chain for revocations that every node omits; needs the `chain` extra.

It judges the rows that another judge calls granted once more, with the consents and with the bits of
their people in the registry, read at one block. It can only refuse rows. If the newest block of the
endpoint is older than the maximum age, the rows become `stale`, as at a node (rule 8.9).
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import numpy as np

from sayso.contributor.onchain import web3_at
from sayso.errors import NodeRefused
from sayso.gate.fetching import FindLicenses
from sayso.gate.judges.base import Evidence, Judge, Judged, WrappingJudge
from sayso.gate.judges.nodes import STALE_POLL_S
from sayso.gate.judges.verdicts import GRANTED, with_chain
from sayso.gate.looping import LoopThread
from sayso_protocol.encoding.row_tree import ROW_BYTES
from sayso_protocol.limits import LIMITS
from sayso_protocol.messages.consent import Consent
from sayso_protocol.network_file import NetworkFile
from sayso_protocol.permissions.words import Masks
from sayso_protocol.primitives import address_text
from sayso_protocol.receipts.question import Question
from sayso_protocol.verdicts.bulk import judge_rows
from sayso_protocol.verdicts.chains import DIRECT, Chain, LicenseTerms, Passage
from sayso_protocol.verdicts.covering import covering
from sayso_protocol.verdicts.disputes import Undisputed
from sayso_protocol.verdicts.known_bits import HeldBits
from sayso_protocol.verdicts.license_table import LicenseTable, named_licenses
from sayso_protocol.verdicts.query import Query
from sayso_protocol.verdicts.shared_licenses import SharedLicenses
from sayso_protocol.verdicts.verdict import License, LicenseView, Reason

if TYPE_CHECKING:
    from sayso_contracts.registry.client import Registry

WORDS_A_CALL: Final = 1_024
CALLS_AT_ONCE: Final = 4
Words = dict[bytes, set[int]]  # address -> words


class ChainJudge(WrappingJudge):
    """ChainJudge refuses rows of another judge that are revoked in the registry."""

    def __init__(
        self,
        inner: Judge,
        url: str,
        licenses: FindLicenses,
        trusted: NetworkFile,
        question: Question,
        loop: LoopThread,
        wait_s: float = 0.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(inner)
        self._clock, self._url, self._licenses = clock, url, licenses
        self._trusted, self._question, self._loop = trusted, question, loop
        self._wait_s = wait_s
        self._block: dict[str, Any] = {}

    def judge(self, rows: bytes) -> Judged:
        """Return the inner answer with the chain's refusals; raises the errors of sayso_contracts."""
        judged = self._inner.judge(rows)
        numbers = np.frombuffer(judged.numbers, np.uint8)
        granted = np.flatnonzero(numbers == GRANTED)
        if not len(granted):
            return judged
        matrix = np.frombuffer(rows, np.uint8).reshape(-1, ROW_BYTES)
        chain = self._again(matrix[granted].tobytes()).tobytes()
        merged, overruled = with_chain(judged.numbers, chain)
        block = dict(self._block)
        return replace(judged, numbers=merged, chain=chain, overruled=overruled, block=block)

    def recall(self, rows: bytes, judged: Judged) -> None:
        """Count an answer; the evidence names the last block that was read."""
        super().recall(rows, judged)
        self._block = judged.block or self._block

    def _again(self, rows: bytes) -> np.ndarray[Any, np.dtype[np.uint8]]:
        found = self._licenses(rows)
        absent = named_licenses(rows) - found.held.keys()
        if absent:
            raise NodeRefused(f"the chain cannot be checked, because {len(absent)} consents are missing")
        bits = self._loop.run(self._bits(words_of(found.held, rows, self._question.query)))
        known = _OnChain(found.held, bits)
        table = LicenseTable.of(found.rows())
        # Nodes vouch for sublicenses; the chain can only refuse what they grant.
        reasons = judge_rows(table, known, rows, self._question.query, self._clock(), vouched).reasons
        if not self._is_fresh():
            reasons[reasons == GRANTED] = Reason.STALE.number
        return reasons

    def _is_fresh(self) -> bool:
        """Return whether the newest block of the endpoint is young enough, by the local clock."""
        age_s: float = self._clock() - self._block["time"]
        return -LIMITS.clock_skew_s <= age_s <= self._question.max_age_s

    async def _bits(self, words: Words) -> dict[bytes, Masks]:
        deadline = time.monotonic() + self._wait_s
        async with web3_at(self._url) as w3:
            from sayso_contracts.deploy import verify  # noqa: PLC0415  # needs the chain extra
            from sayso_contracts.registry.client import Registry  # noqa: PLC0415
            from sayso_contracts.transactions import check_chain  # noqa: PLC0415

            network = self._trusted.network
            registry = Registry(w3, address_text(network.registry), network.chain_id)
            await check_chain(w3, network.chain_id)
            await verify(w3, registry.address)
            await self._read_head(w3)
            while not self._is_fresh() and time.monotonic() < deadline:
                await asyncio.sleep(STALE_POLL_S)
                await self._read_head(w3)
            turns = asyncio.Semaphore(CALLS_AT_ONCE)
            reads = [_read(registry, turns, one, words[one], self._block["block"]) for one in words]
            return dict(zip(words, await asyncio.gather(*reads), strict=True))

    async def _read_head(self, w3: Any) -> None:
        from sayso_contracts.rpc import rpc_errors  # noqa: PLC0415  # needs the chain extra

        with rpc_errors():
            block = await w3.eth.get_block("latest")
        number, name, at = int(block["number"]), bytes(block["hash"]).hex(), int(block["timestamp"])
        self._block = {"block": number, "block_hash": name, "time": at}

    def evidence(self) -> Evidence:
        """Return the inner evidence, and the block that was read."""
        inner = super().evidence()
        # The record names only the endpoint's host, because paid endpoints have a secret in the path.
        host = urlsplit(self._url).netloc.rpartition("@")[2]
        chain = {"kind": "chain", "endpoint": host, **self._block}
        return Evidence([*inner.sources, chain], inner.signers)


async def _read(
    registry: "Registry", turns: asyncio.Semaphore, address: bytes, words: Iterable[int], block: int
) -> Masks:
    ordered = sorted(words)
    masks: Masks = {}
    for at in range(0, len(ordered), WORDS_A_CALL):
        some = ordered[at : at + WORDS_A_CALL]
        async with turns:
            found = await registry.revoked_words(address, some, block)
        masks |= {word: bits for word, bits in zip(some, found, strict=True) if bits}
    return masks


def words_of(held: dict[bytes, License], rows: bytes, query: Query) -> Words:
    """Return every word that can revoke these rows (rule 8.2), by its owner."""
    words: Words = {}
    shared, seen = _shared(held), set[tuple[bytes, tuple[bytes, ...]]]()
    for at in range(0, len(rows), ROW_BYTES):
        name, item = rows[at : at + 32], rows[at + 32 : at + ROW_BYTES]
        mine = held[name]
        _add(words, mine, item, query)
        key = item, mine.consent.parties
        if key not in seen:
            seen.add(key)
            for _, one in shared.on(*key):
                _add(words, one, item, query)
    return words


def vouched(some: Mapping[bytes, LicenseTerms]) -> dict[bytes, Passage]:
    """Return that every license is passed on to the asker, as the nodes say that granted it."""
    return dict.fromkeys(some, DIRECT)


def _shared(held: dict[bytes, License]) -> SharedLicenses:
    shared = SharedLicenses()
    for name, one in held.items():
        shared.add(name, one, one.items)
    return shared


def _add(words: Words, held: LicenseView, item: bytes, query: Query) -> None:
    position = held.position_of(item)
    if position is not None:  # otherwise the row is unknown in any case
        for one in covering(held.consent, query):
            word = one.at(held.consent, position, item).word
            words.setdefault(one.address, set()).add(word)


class _OnChain(HeldBits, Undisputed):
    """The registry's bits for verdicts (sayso_protocol.verdicts.verdict.Knowledge)."""

    def __init__(self, held: dict[bytes, License], bits: dict[bytes, Masks]) -> None:
        super().__init__()
        for address, masks in bits.items():
            self.add(address, masks)
        self._held = held
        self.considered = _shared(held).considered

    def license(self, license_hash: bytes) -> License | None:
        """Return a license, or None."""
        return self._held.get(license_hash)

    def consents(self, names: Sequence[bytes]) -> dict[bytes, Consent]:
        """Return the consents of held licenses."""
        return {name: self._held[name].consent for name in names}

    def chains(self, names: Sequence[bytes], asker: bytes) -> dict[bytes, list[Chain]]:  # noqa: ARG002
        """Return no sublicenses, because nodes vouch for them."""
        return {}
