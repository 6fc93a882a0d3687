"""A claim that only a contract wallet can judge, and what came of asking it."""

import pytest

from sayso_node.chain.wallets.contract_wallets import ContractWallets
from sayso_protocol.errors import SaysoError
from sayso_protocol.primitives import keccak
from sayso_protocol.receipts.receipt import ChainPoint
from sayso_protocol.signatures.wallets import Claim
from support.protocol_strategies import ADA, BEN, WALLETS, sign_digest

DIGEST = keccak(b"what is signed")
BY_ADA, BY_BEN = (sign_digest(WALLETS[one], DIGEST) for one in (ADA, BEN))
ANY = b"\x01" * 66  # longer than a key's
POINT = ChainPoint(7, b"\x07" * 32)


async def outcome(wallets: ContractWallets, claim: Claim, block: ChainPoint) -> type[SaysoError] | None:
    """What the answers say of a claim, checked alone and in a batch."""
    answers = await wallets.ask([claim], "peer", block)
    assert answers.block == block
    [error] = answers.verify([claim])
    if error is None:
        answers.check(*claim)
        return None
    with pytest.raises(type(error)):
        answers.check(*claim)
    return type(error)
