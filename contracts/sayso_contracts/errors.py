"""Errors of calls, transactions and logs of the registry."""

from sayso_protocol.errors import SaysoError


class WrongChain(SaysoError):
    """The endpoint serves another chain than the requested one; nothing was sent."""


class NotDeployed(SaysoError):
    """There is no Sayso registry at this address on this chain."""


class WrongBytecode(SaysoError):
    """The code at this address is not the code that this release ships."""


class ChainUnsuitable(SaysoError):
    """The chain lacks something that this release uses; the message says what does not work there."""


class CallReverted(SaysoError):
    """The contract refuses the call; the message names the reason."""


class TransactionFailed(SaysoError):
    """The transaction is in a block, but it was reverted."""


class TransactionTooLarge(SaysoError):
    """The call needs more gas than one transaction may use."""


class RpcFailed(SaysoError):
    """The chain endpoint cannot be reached, did not answer in time, or refused the request."""


class BadLog(SaysoError):
    """The chain endpoint returned a log that the registry cannot have written."""
