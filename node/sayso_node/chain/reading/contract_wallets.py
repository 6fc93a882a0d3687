"""Asks the chain about signatures of contract wallets (rule 4.4), with fair shares for who brings them.

The wallet's answer holds at one block, which is named with it. Only what the wallet said is an answer:
an endpoint that fails, is late or gives too little gas leaves the signature Unsupported, which clears
nothing and blames nobody. What a wallet costs is bounded by gas, time, and a few questions at once for
each source, whatever the wallet does.
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

CALLS_AT_ONCE = 8  # questions under way
AT_ONCE_PER_SOURCE = 2
WAITING_PER_SOURCE = 64  # claims; a source that brings more is told to come again
REMEMBERED_ANSWERS = 4_096  # answers
TIMEOUT_S = 10.0  # for one question, waiting included

# WalletProbe takes 2,000,000 gas for a factory and 150,000 for the wallet; the rest is for being created
# with some 10 KiB of arguments (EIP-3860, EIP-7623).
GAS = 3_500_000

_ACCEPTED, _REFUSED, _NO_WALLET = (number.to_bytes(32) for number in (1, 2, 3))  # of WalletProbe
_REASONS = {
    _ACCEPTED: "",
    _REFUSED: "the contract wallet does not accept the signature",
    _NO_WALLET: "the contract wallet does not exist, and the signature does not deploy it",
}

_Key = tuple[bytes, bytes, bytes, bytes]  # wallet, digest, SHA-256 of the signature, block hash


class Prober(Protocol):
    """Prober has the chain run a constructor without sending it."""

    async def created(self, code: bytes, gas: int, block: ChainPoint) -> bytes:
        """What this constructor returns if it is run after that block; raises ChainUnreachable."""
        ...


class Answers:
    """A WalletVerifier that knows what contract wallets said at `block`; keys it judges by itself."""

    def __init__(self, block: ChainPoint) -> None:
        self.block = block
        self.reasons: dict[Claim, str] = {}  # "" of what the wallet accepted

    def check(self, signer: bytes, digest: bytes, signature: bytes) -> None:
        """Return if `signer` signed `digest`; raises BadSignature, RefusedByWallet or Unsupported."""
        for error in self.verify([Claim(signer, digest, signature)]):
            if error:
                raise error

    def verify(self, claims: Sequence[Claim]) -> list[SaysoError | None]:
        """For each claim what `check` would raise, None if it is right."""
        by_key = EoaVerifier().verify(claims)
        return [self._outcome(claim, error) for claim, error in zip(claims, by_key, strict=True)]

    def _outcome(self, claim: Claim, by_key: SaysoError | None) -> SaysoError | None:
        reason = self.reasons.get(claim)
        if reason is None:
            return by_key
        return RefusedByWallet(f"{reason}, at block {self.block.number}") if reason else None


class ContractWallets:
    """Turns claims into answers."""

    def __init__(self, chain: Prober, timeout_s: float = TIMEOUT_S) -> None:
        self._chain = chain
        self._timeout_s = timeout_s
        self._under_way = asyncio.Semaphore(CALLS_AT_ONCE)
        self._shares: dict[str, asyncio.Semaphore] = {}
        self._waiting: Counter[str] = Counter()
        self._known: LRUCache[_Key, str] = LRUCache(REMEMBERED_ANSWERS)

    async def ask(self, claims: Sequence[Claim], source: str, block: ChainPoint) -> Answers:
        """What contract wallets say to these claims at a block; what is missing in it stays open.

        Args:
            claims: Any; those of accounts with a key are left to the answers' own check.
            source: Who brought them, for fair shares: a peer id, or an address of HTTP.
            block: Where the chain is asked.
        """
        answers = Answers(block)
        questions = dict.fromkeys(claim for claim in claims if claim.is_contract_wallets)
        reasons = await asyncio.gather(*(self._reason(one, source, block) for one in questions))
        for claim, reason in zip(questions, reasons, strict=True):
            if reason is not None:
                answers.reasons[claim] = reason
        return answers

    async def _reason(self, claim: Claim, source: str, block: ChainPoint) -> str | None:
        """Why the wallet refuses, "" if it accepts, None if nobody can tell."""
        key = (claim.signer, claim.digest, sha256(claim.signature), block.hash)
        if (known := self._known.get(key)) is not None:
            return known
        if self._waiting[source] >= WAITING_PER_SOURCE:
            return None
        try:
            code = _question(claim)
            reason = _REASONS.get(await self._in_turn(code, source, block))
        except (SaysoError, TimeoutError):
            return None
        if reason is not None:
            self._known[key] = reason
        return reason

    async def _in_turn(self, code: bytes, source: str, block: ChainPoint) -> bytes:
        """Ask when it is the source's turn: it has few places, so others find some free."""
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
    """The probe with its arguments; raises BadSignature or TooLarge."""
    proof = read_wallet_proof(claim.signature)
    addresses = address_text(claim.signer), address_text(proof.factory)
    values = (addresses[0], claim.digest, addresses[1], proof.deployment, proof.signature)
    return wallet_probe_code() + abi_encode(["address", "bytes32", "address", "bytes", "bytes"], values)
