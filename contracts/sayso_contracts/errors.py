"""What can go wrong between us and the contract, beyond what can be wrong with a message."""

from sayso_protocol.errors import SaysoError


class WrongChain(SaysoError):
    """The endpoint serves another chain than the one asked for; nothing was sent."""

    code = "wrong-chain"


class NotDeployed(SaysoError):
    """There is no Sayso registry at this address on this chain."""

    code = "not-deployed"


class WrongBytecode(SaysoError):
    """The code at this address is not the code that this release ships."""

    code = "wrong-bytecode"


class CallReverted(SaysoError):
    """The contract refuses the call; the sentence names its reason."""

    code = "call-reverted"


class TransactionFailed(SaysoError):
    """The transaction is in a block, but it had no effect."""

    code = "transaction-failed"


class TransactionTooLarge(SaysoError):
    """The call needs more gas than one transaction may use."""

    code = "transaction-too-large"


class RpcFailed(SaysoError):
    """The chain endpoint could not be reached, answered too late or refused to answer."""

    code = "rpc-failed"


class BadLog(SaysoError):
    """The chain endpoint returned a log of the registry that its contract cannot have written."""

    code = "bad-log"
