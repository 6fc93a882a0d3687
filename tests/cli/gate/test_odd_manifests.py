"""Every odd manifest is kept whole, or refused with a sentence of what to do, by command and library."""

from pathlib import Path

import pytest

from cli.conftest import QUERY
from cli.gate.conftest import NAMES, Buyer
from cli.gate.odd_archives import HELD_TARS
from cli.gate.odd_manifests import CSV, FOLDER, JSON, PACKED, TAR, Odd
from cli.gate.odd_more import FOLDERS, FOUND, HELD
from cli.gate.odd_tables import ARROW, HUGGING, PARQUET
from cli.gate.two_readers import Dialect, judged_again
from sayso.gate.formats.base import Dialect as Declared
from sayso.gate.running import GateFiles
from sayso_protocol.errors import SaysoError
from sayso_protocol.primitives import hex_text, sha256

CLEAR = {hex_text(sha256(name.encode())) for name in NAMES if name != "b.flac"}
TABLE: dict[str, dict[str, Odd]] = {
    "JSON Lines": JSON,
    "CSV": CSV,
    "compressed": PACKED,
    "tar": TAR,
    "Parquet": PARQUET,
    "Arrow": ARROW,
    "Hugging Face": HUGGING,
    "no files": FOLDER,
    "found later": FOUND,
    "folders found later": FOLDERS,
}
LONG = {"held": HELD, "tars that held": HELD_TARS}


@pytest.mark.parametrize("kind", TABLE)
def test_an_odd_manifest_is_kept_whole_or_refused(
    buyer: Buyer, kind: str, subtests: pytest.Subtests
) -> None:
    _each(buyer, TABLE[kind], subtests)


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("kind", LONG)
def test_another_odd_manifest_is_kept_whole_or_refused(
    buyer: Buyer, kind: str, subtests: pytest.Subtests
) -> None:
    _each(buyer, LONG[kind], subtests)


def _each(buyer: Buyer, table: dict[str, Odd], subtests: pytest.Subtests) -> None:
    buyer.revoke()
    buyer.bundle()
    for number, (name, odd) in enumerate(table.items()):
        folder = buyer.folder / str(number)
        folder.mkdir()
        odd.make(buyer, folder / odd.name)
        with subtests.test(name):
            (_refused if odd.refusal else _kept)(buyer, folder, odd)


def _refused(buyer: Buyer, folder: Path, odd: Odd) -> None:
    before = len(buyer.node.checks)
    kept = folder / "kept"
    told = buyer.world.run("check", folder / odd.name, *QUERY, *odd.options, "--out", kept, status=1)
    (line,) = [one for one in told.stderr.splitlines() if one.startswith("error [")]
    assert odd.refusal in line
    assert line.startswith(("error [bad-manifest]", "error [file-unreadable]"))
    assert not [one for one in folder.iterdir() if "kept" in one.name]
    with pytest.raises(SaysoError) as failed:
        _by_library(buyer, folder, odd, kept)
    assert odd.refusal in f"error [{failed.value}"
    assert not [one for one in folder.iterdir() if "kept" in one.name]
    assert (len(buyer.node.checks) - before) % 2 == 0  # both asked as much


def _kept(buyer: Buyer, folder: Path, odd: Odd) -> None:
    suffixes = "".join(Path(odd.name).suffixes)
    for number, check in enumerate((_by_command, _by_library)):
        kept = folder / f"kept{number}{suffixes}"
        check(buyer, folder, odd, kept)
        found = judged_again(_plain(kept), CLEAR, odd.kind, _dialect(odd))
        assert sorted(found) == sorted(CLEAR)


def _by_command(buyer: Buyer, folder: Path, odd: Odd, kept: Path) -> None:
    buyer.check(folder / odd.name, *odd.options, "--out", kept, status=3)


def _by_library(buyer: Buyer, folder: Path, odd: Odd, kept: Path) -> None:
    given = dict(zip(odd.options[::2], odd.options[1::2], strict=True))
    declared = Declared(
        delimiter=given.get("--delimiter"),
        encoding=given.get("--encoding", "utf-8"),
        quoting=given.get("--quoting"),  # type: ignore[arg-type]
        reject_bad="--bad-rows" in given,
    )
    more = {"bundle": given.get("--bundle"), "license_column": given.get("--license-column")}
    with buyer.gate(dialect=declared, **more) as gate:
        gate.check(folder / odd.name, GateFiles(kept=kept))


def _plain(kept: Path) -> Path:
    """The output under the name by which readers know its format."""
    kept = kept.rename(kept.with_name(kept.name.lower().replace(".json.", ".jsonl.")))
    names = {
        ".pq": ".parquet",
        ".txz": ".tar.xz",
        ".tzst": ".tar.zst",
        ".tbz2": ".tar.bz2",
        ".json": ".jsonl",
    }
    if kept.suffix in names:
        return kept.rename(kept.with_suffix(names[kept.suffix]))
    return kept


def _dialect(odd: Odd) -> Dialect | None:
    return Dialect() if "--quoting" in odd.options else None
