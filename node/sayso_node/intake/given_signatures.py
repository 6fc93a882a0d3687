"""Signatures as wallets give them to a page or a script, in the form of rule 4.4.

At most 65 bytes that the key of the signer did not make may be a contract wallet's own signature. The
chain is asked whether the account is a contract, in the share of whoever brought it.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from sayso_node.chain.wallets.contract_wallets import NO_WALLET, Answers
from sayso_protocol.errors import BadSignature
from sayso_protocol.messages.envelope import Envelope
from sayso_protocol.messages.kinds import kind_of
from sayso_protocol.signatures.wallet_forms import by_contract, by_key
from sayso_protocol.signatures.wallets import Claim

Ask = Callable[[Sequence[Claim]], Awaitable[Answers]]


async def in_form(envelope: Envelope, ask: Ask) -> Envelope:
    """Return the message with its signature in the form of rule 4.4, if it has one.

    Without an answer of the chain, or for an account that is no contract, it stays as it is, and the
    strict rule refuses it. Raises BadSignature for a contract wallet's signature of a statement (4.8).
    """
    if found := by_key(envelope.claim):
        return replace(envelope, signature=found)
    wrapped = by_contract(envelope.signature)
    is_endorsable = kind_of(envelope.message).is_endorsable
    if wrapped == envelope.signature or (is_endorsable and not envelope.signature):
        return envelope
    claim = envelope.claim._replace(signature=wrapped)
    answer = (await ask([claim])).reasons.get(claim)
    if answer is None or answer == NO_WALLET:
        return envelope
    if is_endorsable:
        raise BadSignature(
            "the account is a contract, which endorses statements on the chain; their signature is 0x"
        )
    return replace(envelope, signature=wrapped)
