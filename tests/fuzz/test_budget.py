"""No door takes much more memory than it receives, whatever it receives."""

import pytest

from fuzz.budget import FREE_BYTES, MOST_BYTES, judged, spent
from fuzz.target import Target
from fuzz.targets import TARGETS

SHORT = 8_192  # bytes of a hostile value; `make fuzz` takes longer ones


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
def test_memory_for_each_byte_of_hostile_inputs(target: Target) -> None:
    large, _ = judged(target, SHORT)
    assert large == {}


def test_the_budget_notices_a_reader_that_takes_too_much() -> None:
    def greedy(data: bytes) -> None:
        [bytes([one]) + data[:40] for one in data]

    found = spent(Target(greedy, (b"x",)), bytes(SHORT))
    assert found.peak > FREE_BYTES + MOST_BYTES * SHORT
    assert found.factor > MOST_BYTES
    assert judged(Target(greedy, (b"x",)), SHORT)[0]


def test_every_route_with_a_body_or_a_query_is_a_door() -> None:
    from sayso_node.api.routes.document import operations

    for one in operations():
        assert all(f"POST {one.path} {kind}" in TARGETS for kind in one.takes)
        assert not one.asked or f"query of {one.path}" in TARGETS
