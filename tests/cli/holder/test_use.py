"""`sayso use`: from the record of a check, which is verified, or from a list."""

import json
from pathlib import Path
from typing import Any

import pytest

from cli.conftest import OUTPUTS, World
from cli.holder.conftest import CUSTOMER, Company, many, only
from sayso.files import item_hash
from sayso.gate.judges.nodes import NodesJudge
from sayso_protocol.messages.statements.use import Use
from sayso_protocol.primitives import (
    address_text,
    hash_from_text,
    hex_text,
    sha256,
)

TO = ("--to", CUSTOMER, "--purpose", "train-ai", "--until", "90d")


def checked(world: World) -> dict[str, Any]:
    """A check in which one row of three is refused; returns the licenses by file."""
    rows = [
        *world.grant("a"),
        *world.grant("b", manifest="n.jsonl"),
        *world.grant("c", manifest="o.jsonl"),
    ]
    world.write("m.jsonl", b"".join(json.dumps(one).encode() + b"\n" for one in rows))
    world.run("revoke", "--file", "b", "--key", world.key, "--yes")
    query = ("--grantee", "anyone", "--purpose", "train-ai", "--run-id", "voices 7")
    world.run("check", "m.jsonl", *query, *OUTPUTS, status=3)
    world.node.memory.envelopes.clear()
    return {one["file"]: hash_from_text(one["license"]) for one in rows}


def test_a_use_is_taken_from_the_record_of_a_check(company: Company) -> None:
    licenses = checked(company.world)
    files = ("--manifest", "m.jsonl", "--rejected", "why.jsonl", "--record", "receipt.json")
    company.world.run("use", *files, "--run", "voices-7", *company.key)
    message, hashes = only(company)
    assert isinstance(message, Use)
    assert hashes == tuple(sorted((licenses["a"], licenses["c"])))
    assert (message.purpose, message.run) == ("train-ai", "voices-7")
    assert message.record == item_hash(Path("receipt.json")) == sha256(Path("receipt.json").read_bytes())


def test_what_a_record_does_not_cover_is_said(company: Company) -> None:
    checked(company.world)
    record = ("--record", "receipt.json", "--licenses", company.listed(many(2)))
    result = company.world.run("use", *record, *company.key)
    assert "not compared with the record" in result.stderr
    message, hashes = only(company)
    assert isinstance(message, Use)
    assert (message.purpose, any(message.record), len(hashes)) == ("train-ai", True, 2)
    other = ("--key", company.world.new_key("ben"), "--yes", "--purpose", "evaluate")
    result = company.world.run("use", *record, *other)
    assert "a check for train-ai, not for evaluate" in result.stderr


def test_a_record_of_other_rows_is_refused(company: Company) -> None:
    checked(company.world)
    rows = Path("m.jsonl").read_bytes().splitlines(keepends=True)
    Path("less.jsonl").write_bytes(b"".join(rows[:1]))
    record = ("--record", "receipt.json")
    company.world.fails("bad-proof", "use", "--manifest", "less.jsonl", *record, *company.key)
    result = company.world.fails("bad-manifest", "use", "--manifest", "m.jsonl", *record, *company.key)
    assert "--rejected" in result.stderr
    Path("receipt.json").write_text("{}")
    company.world.fails("malformed", "use", "--manifest", "m.jsonl", *record, *company.key)
    assert not company.sent


def test_a_record_of_parts_is_verified(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(NodesJudge, "part_rows", 1)
    licenses = checked(company.world)
    record = json.loads(Path("receipt.json").read_text())
    assert len(record["parts"]) == 3
    files = (
        "--manifest",
        "m.jsonl",
        "--rejected",
        "why.jsonl",
        "--record",
        "receipt.json",
        "--run",
        "a",
    )
    company.world.run("use", *files, *company.key)
    assert only(company)[1] == tuple(sorted((licenses["a"], licenses["c"])))
    company.node.memory.envelopes.clear()
    Path("receipt.json").write_text(json.dumps(record | {"counts": {"granted": 3}}))
    company.world.fails("bad-proof", "use", *files, *company.key)
    assert not company.sent


def test_a_check_by_somebody_else_is_said(company: Company) -> None:
    company.licensed(1, purposes="train-ai")
    (held,) = company.node.memory.envelopes.values()
    row = {"license": hex_text(held.digest), "item": hex_text(held.items[0])}
    company.world.write("m.jsonl", json.dumps(row).encode() + b"\n")
    query = ("--grantee", address_text(company.address), "--purpose", "train-ai", "--run-id", "a")
    company.world.run("check", "m.jsonl", *query, "--receipt", "receipt.json")
    use = ("use", "--manifest", "m.jsonl", "--record", "receipt.json")
    assert "not by the signer" not in company.world.run(*use, *company.key).stderr
    other = ("--key", company.world.new_key("ben"), "--yes")
    result = company.world.run(*use, *other)
    assert f"a check by {address_text(company.address)}, not by the signer" in result.stderr


def test_a_use_of_a_list_needs_a_purpose(company: Company) -> None:
    name = company.listed(many(2))
    company.world.run("use", "--licenses", name, *company.key, status=2)
    company.world.run("use", "--licenses", name, "--purpose", "train-ai", *company.key)
    message, hashes = only(company)
    assert isinstance(message, Use)
    assert (message.run, any(message.record), hashes) == ("", False, tuple(sorted(many(2))))
    company.node.memory.envelopes.clear()
    at = ("--at", "2026-02-03T04:05")
    company.world.run("use", "--licenses", name, "--purpose", "train-ai", *at, *company.key)
    assert "at 2026-02-03 04:05 UTC" in only(company)[0].notice
    company.world.run(
        "use", "--licenses", name, "--purpose", "x", "--at", "noon", *company.key, status=2
    )
