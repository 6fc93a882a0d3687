"""What all answers of nodes have in common: types of `sayso_node.api.schema`, nonce and time."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from sayso.errors import BadAnswer, OtherNonce, ReceiptNotFresh
from sayso_protocol.errors import InvalidAddress, Malformed
from sayso_protocol.limits import LIMITS
from sayso_protocol.receipts.json_values import typed

T = TypeVar("T")


def answer_of(value: Any, kind: type[T]) -> T:
    """Convert a node's answer to a type; raises BadAnswer."""
    with bad_answers():
        return typed(value, kind)


@contextmanager
def bad_answers() -> Iterator[None]:
    """Turn Malformed and InvalidAddress inside the block into BadAnswer."""
    try:
        yield
    except (Malformed, InvalidAddress) as error:
        raise BadAnswer(f"the node's answer: {error}") from error


def check_answered_now(signed: bytes, time: int, nonce: bytes, max_age_s: int, now: float) -> None:
    """Check that a signed answer was given to this question (rules 9.9.3 and 9.9.5).

    Args:
        signed: The nonce in the answer.
        time: The time in the answer, seconds since the epoch.
        nonce: The nonce of the question.
        max_age_s: The maximum age of the question, seconds.
        now: This machine's time, seconds since the epoch.

    Raises:
        OtherNonce: The answer was given to another question.
        ReceiptNotFresh: The answer is older than the maximum age, or dated over ten minutes away.
    """
    if signed != nonce:
        raise OtherNonce("the node's signed answer repeats another nonce than the question")
    age_s = int(now) - time  # whole seconds, as the time in the answer
    most_s = min(max_age_s, LIMITS.clock_skew_s)
    if age_s > most_s:
        raise ReceiptNotFresh(f"the signed answer is {age_s:,} seconds old by this machine's clock")
    if -age_s > LIMITS.clock_skew_s:
        raise ReceiptNotFresh("the signed answer is dated over ten minutes after this machine's clock")
