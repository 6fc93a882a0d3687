"""Checks that a trace makes sense (section 15), which no node signs."""

from itertools import pairwise

from sayso.errors import BadAnswer
from sayso.node_client.reading import bad_answers
from sayso_node.api.schema.traces import BlockJson, HolderJson, TraceJson
from sayso_protocol.primitives import address_from_text, hash_from_text

_LATEST = 253_402_300_799  # the end of the year 9999, in seconds since the epoch


def check_trace(answer: TraceJson) -> None:
    """Check forms, times and the order of holders; raises BadAnswer."""
    with bad_answers():
        holders = [address_from_text(one.address) for one in answer.holders]
        if not all(one < other for one, other in pairwise(holders)):
            raise BadAnswer("the holders of the trace are not in order")
        people = (answer.contributor, answer.grantee)
        for address in people:
            address_from_text(address)
        _check_times(answer.issued_at, answer.expires_at, *_dates(answer.anchored, answer.final))
        for dispute in answer.disputes:
            hash_from_text(dispute.digest)
            address_from_text(dispute.signer)
            _check_times(dispute.issued_at, dispute.expires_at, *_dates(dispute.anchored))
        for one in answer.holders:
            _check_holder(one)


def _check_holder(holder: HolderJson) -> None:
    for passed in holder.passed_on:
        hash_from_text(passed.digest)
        address_from_text(passed.signer)
        _check_times(passed.issued_at, passed.expires_at, *_dates(passed.anchored))
    for use in holder.uses:
        hash_from_text(use.digest)
        _check_times(use.used_at, *_dates(use.anchored))
    for duty in holder.duties:
        anchored = duty.removal.anchored if duty.removal else None
        _check_times(*(() if duty.due is None else (duty.due,)), *_dates(duty.revoked, anchored))
        if (duty.standing == "confirmed") != (duty.removal is not None):
            raise BadAnswer("a removal is confirmed by a statement, and by nothing else")
        if duty.standing in ("due", "late") and duty.due is None:
            raise BadAnswer("what is due has a date")


def _dates(*blocks: BlockJson | None) -> list[int]:
    return [one.time for one in blocks if one is not None and one.time is not None]


def _check_times(*times: int) -> None:
    if not all(0 <= one <= _LATEST for one in times):
        raise BadAnswer("a time is one of the years 1970 to 9999")
