"""The messages that every wallet is asked to sign: what people sign most, and the largest."""

from typing import Any, Final

from docs.test_notices import CONSENTS, SCOPES
from sayso_protocol.limits import LIMITS
from sayso_protocol.messages.message import Message
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.messages.typed_data import typed_data
from sayso_protocol.network import Network
from support.protocol_strategies import ADA

MARKETS: Final = {f"consent: {name}": one for name, one in CONSENTS.items()}
STOPS: Final = {f"revocation: {name}": Revocation(ADA, (one.text,)) for name, one in SCOPES.items()}
_ALL: Final = (1 << 256) - 1
WORDS: Final = {
    "revocation: one word": Revocation(ADA, words=(1 << 246,), masks=(1 << 77,)),
    "revocation: 64 words": Revocation(
        ADA,
        words=tuple((1 << 246) + at for at in range(LIMITS.words)),
        masks=(_ALL,) * LIMITS.words,
    ),
}
MESSAGES: Final[dict[str, Message]] = {**MARKETS, **STOPS, **WORDS}


def asked(network: Network) -> dict[str, Any]:
    """The typed data of all messages, by name."""
    return {name: typed_data(one, network) for name, one in MESSAGES.items()}
