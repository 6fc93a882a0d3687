"""Verified status answers, for a check of one row before a single use (rules 9.8 to 9.10).

    async with NodeClient(url, trusted) as node:
        found = await node.status(StatusQuestion(row, Query(grantee, "train-ai"), max_age_s=60))
    if found.reason is Reason.GRANTED: ...

An answer for another question, from another time, or with a bad signature raises.
"""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from sayso.errors import BadAnswer
from sayso.node_client.reading import check_answered_now
from sayso_protocol.network_file import NetworkFile, Operator
from sayso_protocol.primitives import address_text, hex_text
from sayso_protocol.receipts.status import StatusAnswer, status_from_json
from sayso_protocol.verdicts.query import Query
from sayso_protocol.verdicts.verdict import Reason, Row


@dataclass(frozen=True)
class StatusQuestion:
    """StatusQuestion is the question about one row.

    Attributes:
        row: License and item.
        query: Grantee, purpose, and whose disputes count.
        max_age_s: The oldest accepted view of chain and peers, seconds.
    """

    row: Row
    query: Query
    max_age_s: int

    def path(self, nonce: bytes) -> str:
        """Return path and query of a request with this nonce."""
        values = {
            "grantee": address_text(self.query.grantee),
            "purpose": self.query.purpose,
            "max_age_s": self.max_age_s,
            **self._heed(),
            "nonce": hex_text(nonce),  # last, as a node expects
        }
        return f"/v1/status/{hex_text(self.row.license)}/{hex_text(self.row.item)}?{urlencode(values)}"

    def _heed(self) -> dict[str, str]:
        heed = self.query.heed
        return {} if heed is None else {"heed": ",".join(map(address_text, heed))}


@dataclass(frozen=True)
class VerifiedStatus:
    """VerifiedStatus is a verified status answer with the operator that signed it."""

    answer: StatusAnswer
    operator: Operator

    @property
    def reason(self) -> Reason:
        """Return the reason of the row."""
        return self.answer.status.reason


def read_status(
    answer: Any, question: StatusQuestion, nonce: bytes, trusted: NetworkFile, now: float
) -> VerifiedStatus:
    """Read GET /v1/status/..., and verify the answer for this question (rule 9.9).

    Raises:
        BadAnswer: The answer is for another question.
        OtherNonce, ReceiptNotFresh: See check_answered_now.
        BadProof, WrongNetwork, UnknownSigner, BadSignature: See StatusAnswer.check.
    """
    read = status_from_json(answer)
    operator = read.check(trusted)
    status = read.status
    same = (status.row, status.max_age_s) == (question.row, question.max_age_s)
    if not same or not question.query.is_answered_by(status.query):
        raise BadAnswer("the node's status answer is for another question")
    if status.reason is Reason.GRANTED and status.until < read.head.statement.time:
        raise BadAnswer("the node's status answer is granted, but may not be relied on")
    check_answered_now(status.nonce, read.head.statement.time, nonce, question.max_age_s, now)
    return VerifiedStatus(read, operator)
