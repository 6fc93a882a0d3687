"""`sayso trace`: the tree of holders, and traces of a node that make no sense."""

import itertools
import json
from typing import Any

import pytest

from cli.conftest import World
from sayso.node_client import client

LICENSE, OTHER = ("0x" + one * 32 for one in ("ab", "cd"))
ADA, SHOP, LAB, AGENT = (f"0x{one}" for one in ("11" * 20, "22" * 20, "33" * 20, "44" * 20))
SOLD, LANDED = 1_760_000_000, {"number": 19, "time": 1_770_000_000}
DUE = LANDED["time"] + 30 * 86_400


def passed(signer: str, **changes: Any) -> dict[str, Any]:
    values = {"digest": OTHER, "signer": signer, "parent": OTHER, "depth": 1, "purposes": ["train-ai"]}
    dates = {"issued_at": SOLD, "expires_at": SOLD + 86_400, "first_seen": 1.0, "anchored": None}
    return {**values, **dates, "withdrawn": False, **changes}


def owed(standing: str, **changes: Any) -> dict[str, Any]:
    what = {"by": ["everything"], "items": 2, "permissions": 2, "purposes": ["train-ai"]}
    return {"standing": standing, "revoked": LANDED, "due": DUE, "removal": None, **what, **changes}


def holder(address: str, *by: dict[str, Any], **changes: Any) -> dict[str, Any]:
    values = {"address": address, "is_grantee": address == SHOP, "passed_on": list(by)}
    return {**values, "uses": [], "more_uses": False, "duties": [], **changes}


USE = {"digest": OTHER, "purpose": "train-ai", "run": "run-7", "record": OTHER, "used_at": SOLD + 9}
CONFIRMED = {
    "digest": OTHER,
    "as_of_block": 20,
    "anchored": {"number": 21, "time": LANDED["time"] + 60},
}
DISPUTED = {
    "digest": OTHER,
    "signer": AGENT,
    "subject": "files",
    "code": "voice",
    "issued_at": SOLD,
    "expires_at": SOLD + 86_400,
    "withdrawn": True,
    "anchored": None,
}
HOLDERS = [
    holder(SHOP, duties=[owed("confirmed", removal=CONFIRMED)]),
    holder(
        LAB,
        passed(SHOP),
        uses=[{**USE, "withdrawn": False, "anchored": None}],
        duties=[owed("late")],
    ),
    holder(AGENT, passed(LAB, withdrawn=True), duties=[owed("undated", revoked=None, due=None)]),
]


def page(*holders: dict[str, Any], **changes: Any) -> dict[str, Any]:
    values = {"license": LICENSE, "contributor": ADA, "grantee": SHOP, "purposes": ["train-ai"]}
    dates = {"issued_at": SOLD, "expires_at": SOLD + 9, "first_seen": 1.0, "anchored": None}
    more = {
        "disputes": [DISPUTED],
        "items": 2,
        "removal_days": 30,
        "final": LANDED,
        "holders": list(holders),
        "next": None,
    }
    return {**values, **dates, **more, **changes}


def test_a_tree_of_holders_with_their_history(world: World) -> None:
    world.node.traces = [page(*HOLDERS[:1], next=SHOP), page(*HOLDERS[1:])]
    shown = world.run("trace", LICENSE).stdout.splitlines()
    lines = [one.strip("│├└─ ") for one in shown]
    assert f"{SHOP} (grantee)" in shown
    assert [one.index("0x") for one in shown if one.endswith((LAB, AGENT)) and "from" not in one] == [
        3,
        6,
    ]
    assert "2026-02-02 02:41:00 UTC  removal confirmed, as of block 20" in lines
    assert "2025-10-09 08:53:29 UTC  used it for train-ai in run run-7" in lines
    assert "2026-03-04 02:40:00 UTC  removal due; late: no confirmation known to this node" in lines
    assert "not dated yet  revoked: 2 files for train-ai (everything)" in lines
    assert any(one.endswith(f"from {LAB}; withdrawn since") for one in lines)
    assert lines.count("no use stated") == 2
    said = f"a file is disputed (voice) by {AGENT}, 2025-10-09 08:53:20 UTC to 2025-10-10 08:53:20 UTC"
    assert f"{said}; withdrawn since" in lines
    found = json.loads(world.run("trace", LICENSE, "--json").stdout)
    assert found == page(*HOLDERS)


def test_a_picture_of_holders_over_a_timeline(world: World) -> None:
    world.node.traces = [page(*HOLDERS)]
    shown = world.run("trace", LICENSE, "--picture").stdout.splitlines()
    ends = next(line for line in shown if "2025-10-09" in line and "2026-03-04" in line)
    first, last = ends.index("2025-10-09"), len(ends) - 1
    names = [f"0x{one[2:8]}...{one[-4:]}" for one in (SHOP, LAB, AGENT)]
    shop, lab, agent = (next(line for line in shown if one in line) for one in names)
    assert [one.index("0x") for one in (shop, lab, agent)] == [0, 3, 6]
    assert "(grantee)" in shop
    # Sold and used at the beginning, taken back later, late at the end.
    assert (lab[first], lab[last]) == ("●", "!")
    assert first < lab.index("✗") < last
    assert set(lab[lab.index("✗") + 1 : last]) == {"╌"}
    # Confirmed: after that nothing is owed, although the license would go on.
    assert lab.index("✗") == shop.index("✓")
    assert shop.rstrip().endswith("✓")
    assert "✗" not in agent  # no block dates it
    legend = "\n".join(shown)
    assert all(f"{sign} " in legend for sign in "━╌●✗✓◇!")


@pytest.mark.parametrize("dates", [{}, {"issued_at": 0, "expires_at": 253_402_300_799, "final": None}])
def test_a_picture_of_anything(world: World, dates: dict[str, Any]) -> None:
    people = [f"0x{number:040x}" for number in range(1, 300)]
    links = [holder(who, passed(above)) for above, who in itertools.pairwise(people)]
    for holders in ([], [holder(people[0]), *links]):
        world.node.traces = [page(*holders, **dates)]
        shown = world.run("trace", LICENSE, "--picture").stdout
        assert all(f"0x{one['address'][2:8]}...{one['address'][-4:]}" in shown for one in holders)


def test_text_of_a_node_moves_no_cursor(world: World) -> None:
    evil = {**USE, "run": "a\x1b[2J\n[red]b", "withdrawn": False, "anchored": None}
    world.node.traces = [page(holder(SHOP, uses=[evil]))]
    shown = world.run("trace", LICENSE).stdout
    assert "\x1b" not in shown
    assert "a\N{REPLACEMENT CHARACTER}[2J\N{REPLACEMENT CHARACTER}[red]b" in shown


def test_holders_who_hold_it_from_each_other_are_shown(world: World) -> None:
    world.node.traces = [page(holder(LAB, passed(AGENT)), holder(AGENT, passed(LAB)))]
    shown = world.run("trace", LICENSE).stdout
    assert f"\n{LAB}\n" in shown
    assert f" {AGENT}\n" in shown


def test_an_endless_chain_is_shown_flat(world: World) -> None:
    people = [f"0x{number:040x}" for number in range(1, 3_000)]
    links = [holder(who, passed(above)) for above, who in itertools.pairwise(people)]
    world.node.traces = [page(holder(people[0]), *links)]
    shown = world.run("trace", LICENSE).stdout
    assert all(f"{who}\n" in shown for who in people)


@pytest.mark.parametrize(
    "changes",
    [
        {"license": OTHER},
        {"holders": [HOLDERS[1], HOLDERS[0]]},
        {"holders": [HOLDERS[0], HOLDERS[0]]},
        {"holders": [holder("0x12")]},
        {"expires_at": 10**18},
        {"expires_at": -1},
        {"holders": [holder(SHOP, duties=[owed("confirmed")])]},
        {"holders": [holder(SHOP, duties=[owed("late", removal=CONFIRMED)])]},
        {"holders": [holder(SHOP, duties=[owed("late", due=None)])]},
        {"holders": [holder(SHOP, duties=[owed("fine")])]},
        {"holders": [holder(SHOP, duties=[owed("due", due=10**18)])]},
        {"final": {"number": 1, "time": 10**18}},
        {
            "holders": [
                holder(SHOP, uses=[{**USE, "used_at": 10**18, "withdrawn": False, "anchored": None}])
            ]
        },
    ],
)
def test_a_trace_without_sense_is_refused(world: World, changes: dict[str, Any]) -> None:
    world.node.traces = [page(*HOLDERS, **changes)] if "holders" not in changes else [page() | changes]
    world.fails("bad-answer", "trace", LICENSE)


def test_pages_without_end_are_refused(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "TRACE_PAGES", 5)
    world.node.traces = [page(next=f"0x{number:040x}") for number in range(1, 9)]
    world.fails("bad-answer", "trace", LICENSE)
