"""What revocations touch of real runs, against a node: nothing is left out, nothing else is named."""

import asyncio
import csv
import io
import json
import shutil
import time
from collections.abc import AsyncIterator, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from sayso.contributor.saved_messages import save_bundle
from sayso.errors import BadRecords
from sayso.gate.formats.base import Columns
from sayso.impact.ledger import Request
from sayso.impact.rendering import as_csv
from sayso.impact.runs import find_runs
from sayso.main import cli
from sayso.networks import save_network
from sayso_protocol.messages.envelope import Envelope
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.primitives import address_text, hex_text
from support.holders import LABS, removal, stated, sublicense
from support.node_rig import ManualClock, consent, revocation
from support.protocol_strategies import ADA, BEN, CLEO
from support.running_node import RunningNode, running_node
from support.waiting import until

SOLD = consent(1, count=2, purposes=("resale", "train-ai"))  # Ada's, to Ben
OTHER = consent(2, contributor=CLEO, parties=(CLEO,), purposes=("resale", "train-ai"))
DAN, EVE, *_ = LABS
FILE = f"file {hex_text(SOLD.items[0])}"


class Office:
    """Ben's folder, where he checked two data sets before two runs, and a node."""

    def __init__(self, folder: Path, node: RunningNode) -> None:
        self.folder, self.node = folder, node
        self.options = ("--network", str(folder / "network.toml"), "--node", node.url)

    async def run(self, *arguments: object, status: int = 0) -> Result:
        words = [str(one) for one in (*arguments, *self.options)]
        result = await asyncio.to_thread(CliRunner().invoke, cli, words)
        assert result.exit_code == status, f"{result.output}\n{result.exception!r}"
        return result

    async def check(self, name: str, rows: Iterable[tuple[Envelope, bytes]], status: int = 0) -> None:
        place = self.folder / "runs" / name
        manifest = self.folder / f"{name}.jsonl"
        await asyncio.to_thread(place.mkdir, parents=True)
        lines = (
            json.dumps({"license": hex_text(one.digest), "item": hex_text(item)}) for one, item in rows
        )
        manifest.write_text("\n".join(lines) + "\n")
        outputs = ("--out", place / "data.jsonl", "--rejected", place / "why.jsonl")
        asked = (
            "--grantee",
            address_text(BEN),
            "--purpose",
            "train-ai",
            "--run-id",
            name,
            "--wait",
            "60s",
        )
        await self.run(
            "check", manifest, *asked, *outputs, "--receipt", place / "receipt.json", status=status
        )

    async def impact(self, *arguments: object, status: int = 3) -> list[dict[str, Any]]:
        records = ("--records", self.folder / "runs")
        result = await self.run("impact", *arguments, *records, "--json", status=status)
        found: list[dict[str, Any]] = json.loads(result.stdout)["entries"]
        return found

    def saved(self, *envelopes: Envelope) -> Path:
        path = self.folder / "revoked.sayso"
        save_bundle(path, envelopes)
        return path


class RealClock(ManualClock):
    """The clock on the wall, by which the command judges, too."""

    def now(self) -> float:
        return time.time()


async def mining(node: RunningNode) -> None:
    """A chain that goes on."""
    while True:
        node.chain.time = int(time.time())
        node.chain.mine()
        await asyncio.sleep(0.05)


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    await asyncio.to_thread((tmp_path / "node").mkdir)
    async with running_node(tmp_path / "node", clock=RealClock()) as node:
        chain = asyncio.create_task(mining(node))
        save_network(tmp_path / "network.toml", node.node._config.network_file)
        await node.submit(SOLD, OTHER, sublicense(BEN, DAN, [SOLD.digest]))
        one = Office(tmp_path, node)
        first, second = SOLD.items
        await one.check("voices", [(SOLD, first), (SOLD, second), (OTHER, OTHER.items[0])])
        await one.check("other", [(OTHER, OTHER.items[0])])
        yield one
        chain.cancel()


async def test_from_a_revocation_to_a_confirmed_removal(office: Office) -> None:
    node, since = office.node, ("--since", "2020-01-01")
    assert await office.impact(*since, status=0) == []
    await node.submit(revocation(FILE))
    [one] = await office.impact(*since)
    assert (one["license"], one["contributor"]) == (hex_text(SOLD.digest), address_text(ADA))
    assert (one["items"], one["purposes"]) == (1, ["resale", "train-ai"])
    assert (one["runs"], one["data_sets"]) == (["voices"], ["voices/data.jsonl"])
    assert one["customers"] == [address_text(DAN)]
    assert (one["outcome"], one["status"], one["late"]) == ("", "open", False)
    assert one["due"] > one["revoked"]
    assert await office.impact("--since", "2099-01-01", status=0) == []

    async def standing() -> str:
        _, body = await node.get(f"/v1/licenses/{hex_text(SOLD.digest)}/trace")
        [ben] = [one for one in body["holders"] if one["address"] == address_text(BEN)]
        return str(ben["duties"][0]["standing"])

    async def is_due() -> bool:
        return await standing() == "due"

    async def is_confirmed() -> bool:
        return await standing() == "confirmed"

    await until(is_due)
    _, body = await node.get(f"/v1/licenses/{hex_text(SOLD.digest)}/trace")
    gone = replace(removal(BEN, [SOLD.digest], body["final"]["number"]), sponsor=None)
    await node.submit(gone)
    await until(is_confirmed)
    [one] = await office.impact(*since, status=0)
    assert (one["outcome"], one["status"], one["due"]) == ("deleted", "fulfilled", None)
    assert one["removal"] == hex_text(gone.digest)


async def test_files_of_revocations_and_each_outcome(office: Office) -> None:
    resale = revocation("everything for resale", contributor=CLEO)
    stranger = stated(Revocation(EVE, ("everything",)), (), is_sponsored=False)
    path = office.saved(resale, stranger, revocation(f"file {hex_text(SOLD.items[1])}"))
    found = {one["contributor"]: one for one in await office.impact(path)}
    assert found.keys() == {address_text(who) for who in (ADA, CLEO, EVE)}
    ada, cleo, eve = (found[address_text(who)] for who in (ADA, CLEO, EVE))
    assert (ada["outcome"], ada["status"], ada["items"]) == ("", "open", 1)
    assert (cleo["outcome"], cleo["status"]) == ("opted-out", "fulfilled")
    assert (cleo["purposes"], cleo["runs"]) == (["resale"], ["other", "voices"])
    assert (eve["outcome"], eve["status"], eve["license"]) == ("not-found", "fulfilled", "")
    exempt = office.folder / "exempt.txt"
    exempt.write_text(f"{hex_text(SOLD.digest)} a court ordered us to keep it\n")
    kept = {one["contributor"]: one for one in await office.impact(path, "--exempt", exempt, status=0)}
    assert (kept[address_text(ADA)]["outcome"], kept[address_text(ADA)]["status"]) == (
        "exempt",
        "denied",
    )
    text = (await office.run("impact", path, "--records", office.folder / "runs", status=3)).stdout
    assert text.startswith("3 requests: 2 fulfilled, 1 open\n")
    table = (
        await office.run("impact", path, "--records", office.folder / "runs", "--csv", status=3)
    ).stdout
    rows = list(csv.DictReader(io.StringIO(table)))
    assert [row["outcome"] for row in rows] == [one["outcome"] for one in await office.impact(path)]


async def test_a_record_whose_data_cannot_be_told_is_an_error(office: Office) -> None:
    runs = office.folder / "runs"
    data = runs / "other" / "data.jsonl"
    columns = Columns()
    assert [run.name for run in find_runs(runs, columns)] == ["other", "voices"]
    for change in (data.unlink, lambda: shutil.copy(runs / "voices" / "data.jsonl", data)):
        change()
        with pytest.raises(BadRecords, match="no data of the 1 row"):
            list(find_runs(runs, columns))
    data.unlink()
    shutil.copy(office.folder / "other.jsonl", data)
    shutil.copy(data, data.with_name("copy.jsonl"))
    with pytest.raises(BadRecords, match="more than one"):
        list(find_runs(runs, columns))
    await asyncio.to_thread(shutil.rmtree, runs / "other")
    await asyncio.to_thread(shutil.rmtree, runs / "voices")
    with pytest.raises(BadRecords, match="no record"):
        list(find_runs(runs, columns))


@pytest.mark.parametrize("how", ["link", "circle", "capitals", "text", "no ending"])
async def test_a_run_is_found_however_its_record_is_called_and_wherever_it_lies(
    office: Office, how: str
) -> None:
    """A run that is left out hides what a revocation touches."""
    runs, columns = office.folder / "runs", Columns()
    record = runs / "voices" / "receipt.json"
    if how in {"link", "circle"}:
        (runs / "voices").rename(office.folder / "elsewhere")
        (runs / "moved").symlink_to(office.folder / "elsewhere")
    if how == "circle":
        (runs / "around").symlink_to(runs)
    names = {"capitals": "RECEIPT.JSON", "text": "receipt.txt", "no ending": "receipt"}
    if how in names:
        record.rename(record.with_name(names[how]))
    assert sorted(run.name for run in find_runs(runs, columns)) == ["other", "voices"]


async def test_a_strange_file_beside_a_record_is_named(office: Office) -> None:
    """Left out, it could be the data whose rows are revoked; the hint of a manifest would mislead."""
    notes = office.folder / "runs" / "voices" / "notes.txt"
    notes.write_text("We trained on Tuesday.\n")
    records = ("--records", office.folder / "runs")
    result = await office.run("impact", "--since", "2020-01-01", *records, status=1)
    assert "error [not-of-run]" in result.stderr
    assert str(notes) in result.stderr
    assert "move it out of the folder" in result.stderr
    assert "--bad-rows reject goes on" not in result.stderr


async def test_the_whole_manifest_beside_the_rejected_rows(office: Office) -> None:
    """Who keeps the manifest and not the clear rows; a row that was refused was not used."""
    await office.node.submit(revocation(FILE))
    await office.check("partly", [(SOLD, item) for item in SOLD.items], status=3)
    place = office.folder / "runs" / "partly"
    shutil.copy(office.folder / "partly.jsonl", place / "data.jsonl")
    [run] = [one for one in find_runs(office.folder / "runs", Columns()) if one.name == "partly"]
    assert run.rows == SOLD.digest + SOLD.items[1]
    [one] = await office.impact("--since", "2020-01-01")
    assert one["runs"] == ["voices"]


def test_a_spreadsheet_takes_no_cell_for_a_formula() -> None:
    one = Request("0x1", 0, "", "open", runs=["=cmd()"], data_sets=["@x", "y"], note="-1+1")
    [row] = csv.DictReader(io.StringIO(as_csv([one])))
    assert (row["runs"], row["data_sets"], row["note"]) == ("'=cmd()", "'@x; y", "'-1+1")
