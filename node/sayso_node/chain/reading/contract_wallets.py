"""Asks contract wallets about signatures on chain (rule 4.4), with a fair share for each source.

An answer holds for one block, which it names. Only the wallet's own statement is an answer: if an
endpoint fails, is late or provides too little gas, or the wallet uses up its gas (4.4.14), the signature
is Unsupported, which neither clears a row nor lowers a peer's score. Gas, time and the number of
concurrent calls per source bound the cost, whatever the wallet does.
"""

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import Protocol

from cachetools import LRUCache
from eth_abi.abi import encode as abi_encode

from sayso_contracts.artifact import wallet_probe_code
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

# Results of WalletProbe; 4 is too little gas, which is the endpoint's fault.
_ACCEPTED, _REFUSED, _NO_WALLET, _RAN_OUT = (number.to_bytes(32) for number in (1, 2, 3, 5))
_REASONS = {
    _ACCEPTED: "",
    _REFUSED: "the contract wallet does not accept the signature",
    _NO_WALLET: "the contract wallet does not exist, and the signature does not deploy it",
}

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
        questions = dict.fromkeys(claim for claim in claims if claim.is_contract_wallets)
        reasons = await asyncio.gather(*(self._reason(one, source, block) for one in questions))
        for claim, reason in zip(questions, reasons, strict=True):
            if reason is not None:
                answers.reasons[claim] = reason
        return answers

    async def _reason(self, claim: Claim, source: str, block: ChainPoint) -> str | None:
        """Return why the wallet refuses, "" if it accepts, None without an answer."""
        key = (claim.signer, claim.digest, sha256(claim.signature), block.hash)
        if key in self._known:
            return self._known[key]
        if self._waiting[source] >= WAITING_PER_SOURCE:
            return None
        try:
            code = _question(claim)
            answer = await self._in_turn(code, source, block)
        except (SaysoError, TimeoutError):
            return None
        reason = _REASONS.get(answer)
        if reason is not None or answer == _RAN_OUT:  # it would run out again
            self._known[key] = reason
        return reason

    async def _in_turn(self, code: bytes, source: str, block: ChainPoint) -> bytes:
        """Ask when the source has a free place; it has few, so other sources find free calls."""
        share = self._shares.setdefault(source, asyncio.Semaphore(AT_ONCE_PER_SOURCE))
        self._waiting[source] += 1
        try:
            async with asyncio.timeout(self._timeout_s), share, self._under_way:
                return await self._chain.created(code, GAS, block)
        finally:
            self._waiting[source] -= 1
            if not self._waiting[source]:
                del self._waiting[source], self._shares[source]


def _question(claim: Claim) -> bytes:
    """Return the probe with its arguments; raises BadSignature or TooLarge."""
    proof = read_wallet_proof(claim.signature)
    addresses = address_text(claim.signer), address_text(proof.factory)
    values = (addresses[0], claim.digest, addresses[1], proof.deployment, proof.signature)
    return wallet_probe_code() + abi_encode(["address", "bytes32", "address", "bytes", "bytes"], values)
