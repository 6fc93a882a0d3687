"""Delivered data sets are read in every form, with their salts: by the gate, and by `sayso impact`."""

import json

import numpy as np
import pytest

from cli.marketplace.shop import Shop
from cli.marketplace.test_publishing import FORMS, bought, rows_of
from fuzz.cli_doors import RECORD
from sayso.gate.formats.base import Columns
from sayso.gate.formats.opening import open_source
from sayso.impact.runs import find_runs
from sayso.outputs import Outputs
from sayso_protocol.errors import SaysoError
from sayso_protocol.primitives import hex_text
from sayso_protocol.receipts.receipt import join_rows


class Delivered:
    """A data set in the form of a folder, as a buyer has it."""

    def __init__(self, shop: Shop) -> None:
        self.path = shop.folder / "data"
        self.bundle = bought(shop)
        self.bundle.write(self.path, "folder")
        self.manifest = self.path / "manifest.jsonl"
        self.lines = self.manifest.read_text().splitlines(keepends=True)
        self.files = sorted((self.path / "files").iterdir())

    def exchange(self) -> None:
        """Two rows name each other's file."""
        rows = [json.loads(one) for one in self.lines]
        rows[0]["file"], rows[1]["file"] = rows[1]["file"], rows[0]["file"]
        self.manifest.write_text("".join(json.dumps(one) + "\n" for one in rows))

    def add(self) -> None:
        (self.path / "files" / "more.wav").write_bytes(b"of nobody")

    def forget(self) -> None:
        self.manifest.write_text("".join(self.lines[1:]))

    def repeat(self) -> None:
        """A row more for a file that has one."""
        self.manifest.write_text("".join([*self.lines, self.lines[0]]))

    def lead_out(self) -> None:
        """A file is replaced by a link to another of the same bytes."""
        elsewhere = self.path.parent / "elsewhere"
        self.files[0].rename(elsewhere)
        self.files[0].symlink_to(elsewhere)

    def climb(self) -> None:
        row = json.loads(self.lines[0])
        self.manifest.write_text(json.dumps(row | {"file": "files/../../a.wav"}) + "\n")

    def lose_salt(self) -> None:
        row = json.loads(self.lines[0])
        del row["salt"]
        self.manifest.write_text("".join([json.dumps(row) + "\n", *self.lines[1:]]))

    def hide(self) -> None:
        """Something that no row is about lies beside the data."""
        (self.path / "more").mkdir()
        (self.path / "more" / "x.wav").write_bytes(b"of nobody")


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("exchange", "bytes-differ"),
        ("add", "bad-manifest"),
        ("forget", "bad-manifest"),
        ("repeat", "bad-manifest"),
        ("lead_out", "bad-manifest"),
        ("climb", "bad-manifest"),
        ("lose_salt", "bytes-differ"),
        ("hide", "bad-manifest"),
    ],
)
def test_a_delivered_folder_is_what_its_manifest_says(shop: Shop, fault: str, code: str) -> None:
    data = Delivered(shop)
    getattr(data, fault)()
    with pytest.raises(SaysoError) as caught:
        rows_of(data.path)
    assert caught.value.code == code


@pytest.mark.parametrize("form", FORMS)
def test_what_is_kept_of_a_data_set_is_one_again(shop: Shop, form: str) -> None:
    """As after a check: one row is left out with its bytes, and the rest can be read as before."""
    bundle, path, kept = bought(shop), shop.folder / "data", shop.folder / "kept"
    bundle.write(path, form)
    source = open_source(path, Columns())
    with Outputs() as outputs:
        writer = source.writer(outputs, kept)
        left_out = []
        for batch in source.batches(1_024):
            clear = np.ones(len(batch), bool)
            clear[0] = False
            left_out.append(batch.rows[:64])
            writer.write(batch, clear)
        writer.close()
        source.check_unchanged()
        outputs.commit()
    expected = {join_rows([row]) for row, _ in bundle.entries}
    assert {*rows_of(kept)} == expected - {*left_out}
    gone = next(item for row, item in bundle.entries if join_rows([row]) == left_out[0])
    assert not [
        one for one in kept.rglob("*") if one.is_file() and gone.path.read_bytes() in one.read_bytes()
    ]


@pytest.mark.parametrize("form", FORMS)
def test_a_delivered_data_set_is_the_data_of_a_run(shop: Shop, form: str) -> None:
    """As a lab leaves it: the data set that it bought, and the record of its check beside it."""
    bundle, place = bought(shop), shop.folder / "runs" / "first"
    place.mkdir(parents=True)
    bundle.write(place / "voices", form)
    part = {"rows": 4, "results_root": hex_text(bytes(32)), "answers": []}
    record = RECORD | {"counts": {"granted": 4}, "parts": [part]}
    record["manifest"] = {"name": "voices", "format": form, "rows": 4}
    (place / "record.json").write_text(json.dumps(record))
    [run] = find_runs(shop.folder / "runs", Columns())
    assert run.data == "first/voices"
    assert sorted(run.rows[at : at + 64] for at in range(0, len(run.rows), 64)) == sorted(
        join_rows([row]) for row, _ in bundle.entries
    )
