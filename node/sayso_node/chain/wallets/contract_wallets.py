"""Asks contract wallets about signatures on chain (rule 4.4), with a fair share for each source.

An answer holds for one block, which it names. Only the wallet's own statement is an answer: if an
endpoint fails, is late or provides too little gas, or the wallet uses up its gas (4.4.14), the signature
is Unsupported, which neither clears a row nor lowers a peer's score. Gas, time and the number of
concurrent calls per source bound the cost, whatever the wallet does.
"""

import asyncio
from collections import ChainMap, Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple, Protocol

from cachetools import LRUCache
from eth_abi.abi import encode as abi_encode

from sayso_contracts.registry.artifact import wallet_probe_code
from sayso_node.chain.wallets.batched_probes import LONGEST_BYTES, MOST_QUESTIONS, WORD, batched
from sayso_protocol.errors import RefusedByWallet, SaysoError
from sayso_protocol.primitives import address_text, sha256
from sayso_protocol.receipts.receipt import ChainPoint
from sayso_protocol.signatures.contract_wallets import read_wallet_proof
from sayso_protocol.signatures.wallets import Claim, EoaVerifier

CALLS_AT_ONCE = 8  # concurrent calls
AT_ONCE_PER_SOURCE = 2
WAITING_PER_SOURCE = 64  # claims; a source with more has to try again
REMEMBERED_ANSWERS = 4_096  # answers
TIMEOUT_S = 10.0  # for one call, waiting included

# WalletProbe gives 2,000,000 gas to a factory and 600,000 to the wallet; the rest pays for its creation
# with some 10 KiB of arguments (EIP-3860, EIP-7623).
GAS = 4_000_000
MORE_GAS = 1_000_000  # for each further question to the same wallet, which then exists

NO_WALLET = "the contract wallet does not exist, and the signature does not deploy it"
# Results of WalletProbe; 4 is too little gas, which is the endpoint's fault.
_ACCEPTED, _REFUSED, _NO_WALLET, _RAN_OUT = (number.to_bytes(32) for number in (1, 2, 3, 5))
_REASONS: dict[bytes, str | None] = {
    _ACCEPTED: "",
    _REFUSED: "the account is a contract, and does not accept the signature",
    _NO_WALLET: NO_WALLET,
    _RAN_OUT: None,  # no answer (4.4.14), and it would run out again
}

_ARGUMENTS = ("address", "bytes32", "address", "bytes", "bytes")


class _Question(NamedTuple):
    """A claim, and the encoded arguments by which WalletProbe is asked about it."""

    claim: Claim
    arguments: bytes


_Key = tuple[bytes, bytes, bytes, bytes]  # wallet, digest, SHA-256 of the signature, block hash


class Prober(Protocol):
    """Prober runs a constructor on the chain without sending it."""

    async def created(self, code: bytes, gas: int, block: ChainPoint) -> bytes:
        """Return the constructor's output if it runs after that block; raises ChainUnreachable."""
        ...


class Answers:
    """WalletVerifier with the answers of contract wallets at `block`; it verifies keys itself."""

    def __init__(self, block: ChainPoint) -> None:
        self.block = block
        self.reasons: dict[Claim, str] = {}  # "" if the wallet accepts

    def add(self, claim: Claim, reason: str | None) -> None:
        """Add an answer; None is none."""
        if reason is not None:
            self.reasons[claim] = reason

    def check(self, signer: bytes, digest: bytes, signature: bytes) -> None:
        """Return if `signer` signed `digest`; raises BadSignature, RefusedByWallet or Unsupported."""
        for error in self.verify([Claim(signer, digest, signature)]):
            if error:
                raise error

    def verify(self, claims: Sequence[Claim]) -> list[SaysoError | None]:
        """Return for each claim the error that `check` would raise, or None."""
        by_key = EoaVerifier().verify(claims)
        return [self._outcome(claim, error) for claim, error in zip(claims, by_key, strict=True)]

    def _outcome(self, claim: Claim, by_key: SaysoError | None) -> SaysoError | None:
        reason = self.reasons.get(claim)
        if reason is None:
            return by_key
        return RefusedByWallet(f"{reason} (at block {self.block.number})") if reason else None


class ContractWallets:
    """Asks contract wallets about claims."""

    def __init__(self, chain: Prober, timeout_s: float = TIMEOUT_S) -> None:
        self._chain = chain
        self._timeout_s = timeout_s
        self._under_way = asyncio.Semaphore(CALLS_AT_ONCE)
        self._shares: dict[str, asyncio.Semaphore] = {}
        self._waiting: Counter[str] = Counter()
        self._known: LRUCache[_Key, str | None] = LRUCache(REMEMBERED_ANSWERS)

    async def ask(self, claims: Sequence[Claim], source: str, block: ChainPoint) -> Answers:
        """Ask contract wallets about claims at a block; claims without an answer are left out.

        Args:
            claims: Claims of any kind; those by keys are skipped.
            source: Who brought them, for fair shares: a peer ID or an IP address.
            block: The block at which the chain is asked.
        """
        answers = Answers(block)
        asked = list[Claim]()
        for claim in dict.fromkeys(claim for claim in claims if claim.is_contract_wallets):
            key = _key(claim, block)
            if key in self._known:
                answers.add(claim, self._known[key])
            elif self._waiting[source] + len(asked) < WAITING_PER_SOURCE:
                asked.append(claim)
        if asked:
            self._waiting[source] += len(asked)
            try:
                groups = (self._reasons(one, source, block) for one in _batches(asked))
                found = await asyncio.gather(*groups)
            finally:
                self._leave(source, len(asked))
            for claim, reason in ChainMap(*found).items():
                self._known[_key(claim, block)] = reason
                answers.add(claim, reason)
        return answers

    def _leave(self, source: str, count: int) -> None:
        self._waiting[source] -= count
        if not self._waiting[source]:
            del self._waiting[source]
            self._shares.pop(source, None)

    async def _reasons(
        self, batch: Sequence[_Question], source: str, block: ChainPoint
    ) -> dict[Claim, str | None]:
        """Return why a wallet refuses claims, "" if it accepts; those without an answer are left out.

        A call that is too much for an endpoint is no answer about any of them: then each is asked alone.
        """
        found = await self._answers(batch, source, block)
        if len(batch) > 1:
            for one in batch:
                if one.claim not in found:
                    found |= await self._answers([one], source, block)
        return found

    async def _answers(
        self, batch: Sequence[_Question], source: str, block: ChainPoint
    ) -> dict[Claim, str | None]:
        arguments, probe = [one.arguments for one in batch], wallet_probe_code()
        code = probe + arguments[0] if len(batch) == 1 else batched(probe, arguments)
        gas = GAS + MORE_GAS * (len(batch) - 1)
        try:
            answer = await self._in_turn(code, gas, source, block)
        except (SaysoError, TimeoutError):
            return {}
        if len(answer) != WORD * len(batch):
            return {}
        words = (answer[at : at + WORD] for at in range(0, len(answer), WORD))
        pairs = zip(batch, words, strict=True)
        return {one.claim: _REASONS[word] for one, word in pairs if word in _REASONS}

    async def _in_turn(self, code: bytes, gas: int, source: str, block: ChainPoint) -> bytes:
        """Ask when the source has a free place; it has few, so other sources find free calls."""
        share = self._shares.setdefault(source, asyncio.Semaphore(AT_ONCE_PER_SOURCE))
        async with asyncio.timeout(self._timeout_s), share, self._under_way:
            return await self._chain.created(code, gas, block)


def _key(claim: Claim, block: ChainPoint) -> _Key:
    return claim.signer, claim.digest, sha256(claim.signature), block.hash


def _batches(claims: Iterable[Claim]) -> list[list[_Question]]:
    """Return questions in groups for one call each: to one wallet, which is deployed in one way.

    A claim whose signature cannot be read is left out.
    """
    batches = list[list[_Question]]()
    open_: dict[tuple[bytes, bytes, bytes], list[_Question]] = {}
    for claim in claims:
        try:
            proof = read_wallet_proof(claim.signature)
        except SaysoError:
            continue
        addresses = address_text(claim.signer), address_text(proof.factory)
        values = (addresses[0], claim.digest, addresses[1], proof.deployment, proof.signature)
        one = _Question(claim, abi_encode(_ARGUMENTS, values))
        key = (claim.signer, proof.factory, proof.deployment)
        batch = open_.get(key)
        if batch is None or not _has_room(batch, one):
            open_[key] = batch = list[_Question]()
            batches.append(batch)
        batch.append(one)
    return batches


def _has_room(batch: Sequence[_Question], more: _Question) -> bool:
    size = len(wallet_probe_code()) + sum(len(one.arguments) for one in (*batch, more))
    return len(batch) < MOST_QUESTIONS and size <= LONGEST_BYTES
