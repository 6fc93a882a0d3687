"""What the explanations share: how people, purposes and signatures are spoken of."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sayso_protocol.errors import BadSignature, SaysoError, UnknownSigner, Unsupported, WrongNetwork
from sayso_protocol.network_file import NetworkFile, Operator
from sayso_protocol.permissions.purposes import KNOWN
from sayso_protocol.primitives import ANYONE, address_text
from sayso_protocol.receipts.receipt import Signed


@dataclass(frozen=True)
class Explanation:
    """Sentences, and what is wrong with the message, if anything is.

    Attributes:
        lines: For people.
        error: Raised after they were shown: a signature that is wrong.
    """

    lines: tuple[str, ...]
    error: SaysoError | None = None


def moment(seconds: int) -> str:
    """A time in UTC, as a notice writes it; a number of seconds beyond the year 9999."""
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")
    except (ValueError, OverflowError, OSError):
        return f"second {seconds:,} since 1970"


def count(number: int, noun: str) -> str:
    """`1 item`, `1,204 items`."""
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def listed(words: Iterable[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last


def who(address: bytes) -> str:
    """An address, or `anyone`."""
    return "anyone" if address == ANYONE else address_text(address)


def purpose_text(purpose: str) -> str:
    """A purpose with its published meaning."""
    meaning = KNOWN.get(purpose)
    return f"{purpose} ({meaning})" if meaning else f"{purpose} (not a published purpose)"


def wallet_line(signer: bytes, check: Any) -> tuple[str, SaysoError | None]:
    """Whether a wallet's signature is right; `check` raises if not."""
    name = address_text(signer)
    try:
        check()
    except Unsupported:
        return f"It is signed by the contract wallet {name}: NOT CHECKED, only the chain can say.", None
    except BadSignature as error:
        return f"The signature is WRONG: {name} did not sign this. Believe nothing of it.", error
    return f"The signature is right: {name} signed this.", None


def node_line(signed: Signed[Any], trusted: NetworkFile | None) -> tuple[str, SaysoError | None]:
    """Whether a node's signature is right, and whether the network file knows the node (rule 9.5)."""
    statement = signed.statement
    key: bytes = statement.node_key
    try:
        # Against the key that it names itself: is it that key's at all?
        signed.check(NetworkFile(statement.network, 0, 0, (Operator("itself", key),)))
    except BadSignature as error:
        return (
            f"The signature is WRONG: node {key.hex()} did not sign this. Believe nothing of it.",
            error,
        )
    right = f"The signature is right for node {key.hex()}"
    if trusted is None:
        return f"{right}; whose node that is, only a network file can tell.", None
    try:
        operator = signed.check(trusted)
    except UnknownSigner:
        return (
            f"{right}, but your network file DOES NOT LIST that node: nobody you trust said this.",
            None,
        )
    except WrongNetwork:
        return f"{right}, but it is for ANOTHER NETWORK ({statement.network}) than yours.", None
    return f"The signature is right: it is that of {operator.name}, whom your network file lists.", None
