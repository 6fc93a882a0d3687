"""Phrases for people, purposes and signatures, which all explanations share."""

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
    """Explanation holds sentences about a message, and its error.

    Attributes:
        lines: The sentences.
        error: The error of a wrong signature, or None; the caller raises it after the sentences.
    """

    lines: tuple[str, ...]
    error: SaysoError | None = None


def moment(seconds: int) -> str:
    """Return a time in UTC in the form of a notice; seconds beyond the year 9999."""
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")
    except (ValueError, OverflowError, OSError):
        return f"second {seconds:,} since 1970"


def count(number: int, noun: str) -> str:
    """Return a number with its noun, such as `1 item` or `1,204 items`."""
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def listed(words: Iterable[str]) -> str:
    """Return a list of words, such as `a, b and c`."""
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last


def who(address: bytes) -> str:
    """Return an address in EIP-55 mixed case, or `anyone`."""
    return "anyone" if address == ANYONE else address_text(address)


def purpose_text(purpose: str) -> str:
    """Return a purpose with its published meaning."""
    meaning = KNOWN.get(purpose)
    return f"{purpose} ({meaning})" if meaning else f"{purpose} (not a published purpose)"


def wallet_line(signer: bytes, check: Any) -> tuple[str, SaysoError | None]:
    """Return a sentence about a wallet's signature, and its error; `check` verifies it."""
    name = address_text(signer)
    try:
        check()
    except Unsupported:
        return (
            f"It is signed by the contract wallet {name}: NOT CHECKED, only the chain can judge it.",
            None,
        )
    except BadSignature as error:
        return f"The signature is WRONG: {name} did not sign this. Believe nothing of it.", error
    return f"The signature is right: {name} signed this.", None


def node_line(signed: Signed[Any], trusted: NetworkFile | None) -> tuple[str, SaysoError | None]:
    """Return a sentence about a node's signature and the network file, and the error (rule 9.5)."""
    statement = signed.statement
    key: bytes = statement.node_key
    try:
        # First against the key in the statement, whether or not the network file lists it.
        signed.check(NetworkFile(statement.network, 0, 0, (Operator("itself", key),)))
    except BadSignature as error:
        return (
            f"The signature is WRONG: node {key.hex()} did not sign this. Believe nothing of it.",
            error,
        )
    right = f"The signature is right for node {key.hex()}"
    if trusted is None:
        return f"{right}; only a network file can name the operator.", None
    try:
        operator = signed.check(trusted)
    except UnknownSigner:
        return (
            f"{right}, but your network file DOES NOT LIST that node: no trusted operator signed this.",
            None,
        )
    except WrongNetwork:
        return f"{right}, but it is for ANOTHER NETWORK ({statement.network}) than yours.", None
    return f"The signature is right: it is that of {operator.name}, whom your network file lists.", None
