"""The registry's calls as data, to be signed by a node, the command or a wallet.

Example: `Calls(address).revoke_scopes(["everything"]).data`
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sayso_contracts.registry.abi import encode_call
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.primitives import address_text


class SignedRevocation(NamedTuple):
    """SignedRevocation is what the registry needs to carry out a signed revocation.

    Attributes:
        revocation: The message.
        chain_id: The chain id under which it was signed, which may be of another chain.
        signature: 65 bytes, or what the contract wallet's ERC-1271 method takes.
    """

    revocation: Revocation
    chain_id: int
    signature: bytes


@dataclass(frozen=True)
class Call:
    """Call holds the target and the data of a transaction.

    Attributes:
        to: The contract's address.
        data: Selector and arguments.
    """

    to: str
    data: bytes


class Calls:
    """Calls builds calls of the registry at one address."""

    def __init__(self, address: str) -> None:
        self.address = address

    def _call(self, function: str, *arguments: object) -> Call:
        return Call(self.address, encode_call(function, *arguments))

    def anchor(self, root: bytes) -> Call:
        """Anchor a 32-byte root."""
        return self._call("anchor", root)

    def anchor_many(self, roots: Sequence[bytes]) -> Call:
        """Anchor several 32-byte roots."""
        return self._call("anchorMany", roots)

    def revoke(self, word: int, mask: int) -> Call:
        """Set bits of the sender in one word, which is the cheapest revocation."""
        return self._call("revoke", word, mask)

    def revoke_many(self, words: Sequence[int], masks: Sequence[int]) -> Call:
        """Set bits of the sender in several words, with a mask for each."""
        return self._call("revokeMany", words, masks)

    def revoke_scopes(self, scopes: Sequence[str]) -> Call:
        """Revoke the sender's permissions that the scopes name."""
        return self._call("revokeScopes", scopes)

    def revoke_by_sig(self, signed: SignedRevocation) -> Call:
        """Send another person's signed revocation; the sender of the transaction pays."""
        return self._call("revokeBySig", *_arguments(signed))

    def endorse(self, digest: bytes) -> Call:
        """Sign the statement of this digest, 32 bytes, as the sender, for ever."""
        return self._call("endorse", digest)

    def relay(self, signed: Iterable[SignedRevocation]) -> Call:
        """Send signed revocations of many people in one transaction.

        An invalid item causes a Rejected event and does not affect the others; see relay.py.
        """
        return self._call("relay", [_arguments(one) for one in signed])


def _arguments(signed: SignedRevocation) -> tuple[object, ...]:
    revocation, chain_id, signature = signed
    return (
        address_text(revocation.contributor),
        chain_id,
        revocation.scopes,
        revocation.words,
        revocation.masks,
        signature,
    )
