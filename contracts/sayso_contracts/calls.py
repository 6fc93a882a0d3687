"""The registry's calls as data, for whoever signs them: a node, the command line, a wallet.

Example: `Calls(address).revoke_scopes(["everything"]).data`
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sayso_contracts.abi import encode_call
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.primitives import address_text


@dataclass(frozen=True)
class Call:
    """What a transaction asks of a contract.

    Attributes:
        to: The contract's address.
        data: Selector and arguments.
    """

    to: str
    data: bytes


class Calls:
    """The calls of the registry at one address."""

    def __init__(self, address: str) -> None:
        self.address = address

    def _call(self, function: str, *arguments: object) -> Call:
        return Call(self.address, encode_call(function, *arguments))

    def anchor(self, root: bytes) -> Call:
        """Date a 32-byte root."""
        return self._call("anchor", root)

    def anchor_many(self, roots: Sequence[bytes]) -> Call:
        """Date each of the 32-byte roots."""
        return self._call("anchorMany", roots)

    def revoke(self, word: int, mask: int) -> Call:
        """Set bits of the sender: the cheapest revocation there is."""
        return self._call("revoke", word, mask)

    def revoke_many(self, words: Sequence[int], masks: Sequence[int]) -> Call:
        """Set bits of the sender in several words, a mask for each."""
        return self._call("revokeMany", words, masks)

    def revoke_scopes(self, scopes: Sequence[str]) -> Call:
        """Take back everything of the sender's that the sentences name."""
        return self._call("revokeScopes", scopes)

    def revoke_by_sig(self, revocation: Revocation, signature: bytes) -> Call:
        """Carry a signed revocation to the contract; its sender pays, and may be anybody."""
        return self._call("revokeBySig", *_arguments(revocation, signature))

    def relay(self, signed: Iterable[tuple[Revocation, bytes]]) -> Call:
        """Carry signed revocations, each with its signature, of many people in one transaction.

        What is wrong with one is said by a Rejected event and hinders no other: see relay.py.
        """
        return self._call("relay", [_arguments(*one) for one in signed])


def _arguments(revocation: Revocation, signature: bytes) -> tuple[object, ...]:
    return (
        address_text(revocation.contributor),
        revocation.scopes,
        revocation.words,
        revocation.masks,
        signature,
    )
