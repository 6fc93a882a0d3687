"""What a node does not hold is known by the code of its answer, never by a word in its text."""

import time
from collections.abc import Callable, Coroutine
from types import SimpleNamespace
from typing import Any

import pytest

from sayso.errors import NodeRefused, NotHeld
from sayso.gate.fetching import Fetcher
from sayso.holder.passing import consents_at
from sayso.impact.finding import _traces
from sayso.marketplace.courier import Courier
from sayso.node_client.parsing import refusal
from sayso_node.api.schema.values import Fault

NAME = b"\7" * 32


class Node:
    """A node that answers everything with one refusal."""

    def __init__(self, code: str) -> None:
        self._fault = Fault(code, "the license was not-found in time")

    async def _refuse(self, *_: object) -> Any:
        raise refusal(self._fault)

    consent = sublicenses = trace = license = _refuse


async def _is_dated(node: Any) -> bool:
    courier = Courier(SimpleNamespace(clock=time.time), None)  # type: ignore[arg-type]
    return await courier._is_dated(node, NAME, 1)


async def _consent(node: Any) -> set[bytes]:
    await (fetcher := Fetcher(node))._consents({NAME})
    return fetcher.missing


async def _chain(node: Any) -> set[bytes]:
    await (fetcher := Fetcher(node, grantee=b"\1" * 20)).fetch_chains([NAME])
    return fetcher._passed


ASKING: dict[str, tuple[Callable[[Any], Coroutine[Any, Any, Any]], object]] = {
    "the consent of a row": (_consent, {NAME}),
    "the chain of a row": (_chain, {NAME}),
    "a trace, for the impact": (lambda node: _traces(node, [NAME]), {}),
    "a trace, for a removal": (_is_dated, False),
    "a consent to pass on": (lambda node: consents_at(node, [NAME]), {}),
}


@pytest.mark.parametrize("name", ASKING)
async def test_another_refusal_is_never_taken_for_a_missing_license(name: str) -> None:
    """A busy node whose reason had the words `not-found` made a license missing, or dated none."""
    ask, without = ASKING[name]
    assert await ask(Node("not-found")) == without
    with pytest.raises(NodeRefused, match="node-busy"):
        await ask(Node("node-busy"))


def test_the_code_alone_makes_it() -> None:
    assert type(refusal(Fault("not-found", "no"))) is NotHeld
    assert type(refusal(Fault("node-busy", "not-found"))) is NodeRefused
