"""The judge that asks nodes. Every named node answers for every row, or the check fails.

A revocation that one node knows wins, and a row is clear only if all nodes call it granted. So a node
that lies or lags can only refuse. A node that does not answer makes the check fail.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, Protocol

from sayso.errors import NodeRefused
from sayso.gate.judges.base import Evidence, Judge, Judged, add_counts, node_source
from sayso.gate.judges.verdicts import strictest
from sayso.gate.looping import LoopThread
from sayso.node_client.answers import CheckAnswer
from sayso.node_client.client import NodeClient
from sayso_protocol.network_file import NetworkFile
from sayso_protocol.receipts.question import Question
from sayso_protocol.redaction import shown_url
from sayso_protocol.verdicts.verdict import Reason

STALE_POLL_S: Final = 2.0  # between repeats while rows are stale


class Checker(Protocol):
    """Checker answers a question about joined rows; NodeClient does."""

    async def check(self, question: Question, rows: bytes) -> CheckAnswer:
        """Return a verified answer."""
        ...


async def ask(
    checker: Checker,
    question: Question,
    rows: bytes,
    wait_s: float,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> CheckAnswer:
    """Repeat a check until no row is `stale`, for at most `wait_s` seconds; see NodeClient.check."""
    deadline = clock() + wait_s
    while True:
        answer = await checker.check(question, rows)
        left = deadline - clock()
        if left <= 0 or Reason.STALE.number not in answer.numbers:
            return answer
        await sleep(min(STALE_POLL_S, left))


class NodesJudge(Judge):
    """NodesJudge asks one or several nodes at the same time."""

    def __init__(
        self,
        urls: Sequence[str],
        trusted: NetworkFile,
        question: Question,
        loop: LoopThread,
        wait_s: float = 0.0,
    ) -> None:
        self._urls = tuple(dict.fromkeys(one.rstrip("/") for one in urls))
        self._trusted = trusted
        self._question = question
        self._wait_s = wait_s
        self._loop = loop
        self._clients: list[NodeClient] = []
        self._answered: dict[str, dict[str, Any]] = {}

    def judge(self, rows: bytes) -> Judged:
        """Return the strictest of the nodes' answers; raises the errors of NodeClient.check."""
        answers = self._loop.run(self._ask(rows))
        numbers, differing = strictest([one.numbers for one in answers])
        judged = Judged(numbers, tuple(answers), differing)
        self.recall(rows, judged)
        return judged

    def recall(self, rows: bytes, judged: Judged) -> None:  # noqa: ARG002
        """Count answers of these nodes."""
        for url, answer in zip(self._urls, judged.answers, strict=True):
            self._note(url, answer)

    async def _ask(self, rows: bytes) -> list[CheckAnswer]:
        if not self._clients:
            self._clients = [NodeClient(url, self._trusted) for url in self._urls]
            for client in self._clients:
                await client.__aenter__()
        answers = await asyncio.gather(
            *(ask(client, self._question, rows, self._wait_s) for client in self._clients)
        )
        if len({one.receipt.statement.node_key for one in answers}) < len(answers):
            raise NodeRefused("two of the URLs belong to the same node")
        return answers

    def _note(self, url: str, answer: CheckAnswer) -> None:
        receipt = answer.receipt.statement
        counts: dict[str, int] = self._answered.get(url, {}).get("counts", {})
        add_counts(counts, receipt.counts)
        source = node_source(answer.operator.name, receipt, counts)
        self._answered[url] = source | {"url": shown_url(url)}

    def evidence(self) -> Evidence:
        """Return the nodes, with the last block and state of each."""
        sources = [dict(self._answered[url]) for url in self._urls if url in self._answered]
        return Evidence(sources, [str(one["operator"]) for one in sources])

    def close(self) -> None:
        """Close the connections."""
        clients, self._clients = self._clients, []
        for client in clients:
            self._loop.run(client.__aexit__(None, None, None))
