"""The judge of a check that goes on: parts that were judged are not judged again.

An answer is used again for exactly the rows that it was given for, once for each time that it was
given, as long as it may be relied on. Answers of nodes are verified again. Everything else is judged.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Final

from msgspec.structs import astuple

from sayso.gate.judges.base import Judge, Judged, WrappingJudge
from sayso.gate.marks import FileMark
from sayso.gate.resuming.progress_file import Answer, Part, ProgressFile
from sayso.gate.since.secret import own_key
from sayso.node_client.answers import CheckAnswer
from sayso_protocol.errors import BadProof, SaysoError
from sayso_protocol.network_file import NetworkFile
from sayso_protocol.primitives import sha256
from sayso_protocol.receipts.question import Question
from sayso_protocol.receipts.receipt import check_results
from sayso_protocol.receipts.text import receipt_json, receipt_of
from sayso_protocol.verdicts.verdict import Reason

RESUME_S: Final = 86_400  # after a run began, its answers are not used again
# The fields that a part has as they stand in Judged.
PLAIN: Final = ("differing", "chain", "overruled", "time", "until", "block")


def meaning_of(trusted: NetworkFile, question: Question, sources: Sequence[str | FileMark]) -> bytes:
    """Return the SHA-256 of what answers depend on, beside the rows and the name of the run.

    Args:
        trusted: The network file.
        question: The question.
        sources: The nodes and the endpoint, or the marks of snapshots and bundle.
    """
    query, network = question.query, trusted.network
    heed = None if query.heed is None else [one.hex() for one in query.heed]
    asked = [query.grantee.hex(), query.purpose, heed, question.max_age_s, question.run_until]
    named = [one if isinstance(one, str) else astuple(one) for one in sources]
    operators = [[one.name, one.key.hex()] for one in trusted.operators]
    of = [version("sayso"), network.chain_id, network.registry.hex(), operators, asked, named]
    return sha256(json.dumps(of).encode())


@contextmanager
def resumed(
    path: Path, meaning: bytes, run_id: str | None, now: float
) -> Iterator[tuple[ProgressFile, str]]:
    """Open the journal of a run, and yield it with what it cannot be used for, or an empty text.

    Args:
        path: The journal.
        meaning: See meaning_of.
        run_id: The name of the run, if the user chose one.
        now: Seconds since the epoch.

    Raises:
        OutputFailed: See ProgressFile.
    """
    with ProgressFile(path, own_key()) as journal:
        header, why = journal.header, ""
        if header is None:
            why = "the file of progress was changed, or somebody else made it" if journal.size else ""
        elif header.meaning != meaning:
            why = "the progress is of another question, of other sources or of another release"
        elif run_id not in (None, header.run_id):
            why = "the progress is of a run of another name"
        elif not 0 <= now - header.begun <= RESUME_S:
            why = "the progress is older than a day"
        if header and not why:
            journal.go_on()
        yield journal, why


class ResumedJudge(WrappingJudge):
    """ResumedJudge asks another judge about what was not judged before, and keeps every answer.

    Attributes:
        again: The number of parts that were judged before.
        parts: The number of parts.
    """

    def __init__(
        self,
        inner: Judge,
        journal: ProgressFile,
        trusted: NetworkFile,
        question: Question,
        clock: Callable[[], float],
    ) -> None:
        super().__init__(inner)
        self._journal = journal
        self._trusted, self._question, self._clock = trusted, question, clock
        self.again = self.parts = 0

    def judge(self, rows: bytes) -> Judged:
        """Return the answer of before, or a new one; see the inner judge."""
        self.parts += 1
        part = self._journal.take(rows)
        if part is not None and (found := self._checked(part, rows)):
            self._inner.recall(rows, found)
            self.again += 1
            return found
        judged = self._inner.judge(rows)
        self._journal.add(_part_of(rows, judged))
        return judged

    def _checked(self, part: Part, rows: bytes) -> Judged | None:
        """Return a part as it was judged, if it may still be relied on."""
        numbers = part.numbers
        try:
            answers = tuple(self._answer(one, rows) for one in part.answers)
        except SaysoError:
            return None
        untils = [one.receipt.statement.until for one in answers if one.receipt.statement.clear]
        untils += [part.until] if part.until and Reason.GRANTED.number in numbers else []
        if Reason.STALE.number in numbers or min(untils, default=self._clock() + 1) <= self._clock():
            return None
        return Judged(numbers, answers, **{name: getattr(part, name) for name in PLAIN})

    def _answer(self, one: Answer, rows: bytes) -> CheckAnswer:
        signed = receipt_of(one.receipt)
        operator = signed.check(self._trusted)
        check_results(signed.statement, rows, one.numbers)
        if not self._question.is_answered_by(signed.statement.question):
            raise BadProof("the answer is to another question")
        return CheckAnswer(one.numbers, signed, operator)


def _part_of(rows: bytes, judged: Judged) -> Part:
    answers = [Answer(one.numbers, receipt_json(one.receipt)) for one in judged.answers]
    plain = {name: getattr(judged, name) for name in PLAIN}
    return Part(sha256(rows), judged.numbers, answers, **plain)
