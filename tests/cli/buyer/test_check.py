"""`sayso check` on an honest node: what is kept, what is said, how it ends."""

import json

import pytest

from cli.conftest import OUTPUTS, QUERY, World
from sayso_protocol.verdicts.verdict import Reason


def test_everything_clear(world: World) -> None:
    world.grant("a.jpg", "b.jpg")
    manifest = (world.folder / "m.jsonl").read_bytes()
    result = world.run("check", "m.jsonl", *QUERY, *OUTPUTS)
    assert "2 rows: 2 clear, 0 not clear" in result.stdout
    assert (world.folder / "kept.jsonl").read_bytes() == manifest
    assert (world.folder / "why.jsonl").read_bytes() == b""
    verified = world.run(
        "receipt", "verify", "receipt.json", "--manifest", "m.jsonl", "--rejected", "why.jsonl"
    )
    assert "signed by Fake" in verified.stdout


def test_some_revoked(world: World) -> None:
    rows = world.grant("a.jpg", "b.jpg", "c.jpg")
    license_hash = rows[0]["license"]
    world.run("revoke", "--license", license_hash, "--file", "b.jpg", "--key", world.key, "--yes")
    result = world.run("check", "m.jsonl", *QUERY, *OUTPUTS, status=3)
    assert "3 rows: 2 clear, 1 not clear" in result.stdout
    assert [row["file"] for row in world.rows("kept.jsonl")] == ["a.jpg", "c.jpg"]
    assert world.rows("why.jsonl") == [rows[1] | {"reason": "revoked", "line": 2}]
    assert world.left() >= {"kept.jsonl", "why.jsonl", "receipt.json"}
    assert not [name for name in world.left() if name.endswith(".part")]


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        (("--grantee", "anyone", "--purpose", "advertising"), "purpose-not-granted"),
        (("--grantee", "0x" + "11" * 20, "--purpose", "resale"), "purpose-not-granted"),
    ],
)
def test_what_was_not_granted_is_not_clear(world: World, query: tuple[str, ...], reason: str) -> None:
    world.grant("a.jpg")
    result = world.run("check", "m.jsonl", *query, *OUTPUTS, "--json", status=3)
    answer = json.loads(result.stdout)
    assert answer["reasons"] == {reason: 1}
    assert (answer["rows"], answer["clear"], answer["not_clear"]) == (1, 0, 1)
    assert (world.folder / "kept.jsonl").read_bytes() == b""


def test_json_with_a_receipt_that_can_be_verified(world: World) -> None:
    world.grant("a.jpg")
    answer = json.loads(world.run("check", "m.jsonl", *QUERY, "--run-id", "run 7", "--json").stdout)
    assert answer["operator"] == "Fake"
    assert answer["receipt"]["run_id"] == "run 7"
    world.write("r.json", json.dumps(answer["receipt"]).encode())
    assert "run run 7" in world.run("receipt", "verify", "r.json").stdout


def test_each_run_has_its_own_id_and_the_age_is_sent(world: World) -> None:
    world.grant("a.jpg")
    world.run("check", "m.jsonl", *QUERY)
    world.run("check", "m.jsonl", *QUERY, "--max-age", "5m")
    first, second = world.node.checks
    assert first["run_id"] != second["run_id"]
    assert (first["max_age_s"], second["max_age_s"]) == (60, 300)


def test_stale_says_what_to_do(world: World) -> None:
    world.grant("a.jpg")
    world.node.stale_checks = 1
    result = world.run("check", "m.jsonl", *QUERY, *OUTPUTS, status=3)
    assert "--wait" in result.stderr
    assert world.rows("why.jsonl")[0]["reason"] == "stale"
    assert (world.folder / "kept.jsonl").read_bytes() == b""


def test_waiting_repeats_until_nothing_is_stale(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sayso.gate.judges.nodes.STALE_POLL_S", 0.01)
    world.grant("a.jpg")
    world.node.stale_checks = 3
    result = world.run("check", "m.jsonl", *QUERY, *OUTPUTS, "--wait", "60s")
    assert "1 clear" in result.stdout
    assert len(world.node.checks) == 4


def test_an_earlier_result_is_replaced(world: World) -> None:
    world.grant("a.jpg")
    world.run("check", "m.jsonl", *QUERY, *OUTPUTS)
    world.run("revoke", "everything", "--key", world.key, "--yes")
    world.run("check", "m.jsonl", *QUERY, *OUTPUTS, status=3)
    assert (world.folder / "kept.jsonl").read_bytes() == b""


def test_the_default_node_is_the_network_files_first(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.grant("a.jpg")
    monkeypatch.setenv("SAYSO_NODE", world.node.url)
    world.run("check", "m.jsonl", *QUERY)
    assert len(world.node.checks) == 1


def test_reasons_are_all_counted(world: World) -> None:
    world.grant("a.jpg")
    unknown = json.dumps({"license": "0x" + "00" * 32, "item": "0x" + "00" * 32}).encode()
    manifest = (world.folder / "m.jsonl").read_bytes() + b"\n" + unknown
    world.write("more.jsonl", manifest)
    result = world.run("check", "more.jsonl", *QUERY, *OUTPUTS, status=3)
    assert Reason.UNKNOWN in result.stdout
    # The blank line is no row, but it has a number.
    assert world.rows("why.jsonl")[0]["line"] == 3
