"""The registry's views that no code of ours reads, asked by web3 and the ABI."""

from typing import Any, NamedTuple

from web3 import AsyncWeb3
from web3.types import BlockIdentifier

from sayso_contracts.registry.artifact import abi
from sayso_protocol.primitives import address_from_text


class Anchor(NamedTuple):
    """The first anchor of a root; all zero if there is none."""

    submitter: bytes
    block_number: int
    timestamp: int


class Endorsement(NamedTuple):
    """The first endorsement of a digest by an address; all zero if there is none."""

    block_number: int
    timestamp: int


class Views:
    """The views of one registry."""

    def __init__(self, w3: AsyncWeb3[Any], address: str) -> None:
        self._functions = w3.eth.contract(w3.to_checksum_address(address), abi=abi()).functions

    async def anchor_of(self, root: bytes, block: BlockIdentifier = "latest") -> Anchor:
        submitter, *when = await self._functions.anchorOf(root).call(block_identifier=block)
        return Anchor(address_from_text(submitter), *when)

    async def endorsement_of(
        self, signer: str, digest: bytes, block: BlockIdentifier = "latest"
    ) -> Endorsement:
        view = self._functions.endorsementOf(signer, digest)
        return Endorsement(*await view.call(block_identifier=block))
