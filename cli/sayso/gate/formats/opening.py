"""Detection of a manifest's format by its name, or by the files in a folder."""

import glob
import os
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Final

from sayso.errors import BadManifest, FileUnreadable
from sayso.files import reading
from sayso.gate.formats.base import Columns, Source
from sayso.gate.formats.endings import DELIMITERS, form_said
from sayso.gate.formats.json_lines import JsonLines
from sayso.gate.formats.media import MediaFolder, is_about, left_out
from sayso.gate.formats.published import form_of as form_of_published
from sayso.gate.formats.published import open_published
from sayso.gate.formats.separated import Separated
from sayso.gate.formats.shards import Opener, Shards
from sayso.gate.formats.tar import Tar

Manifest = Path | str | Sequence[Path | str]  # a file, a folder, a pattern; or several files
PUBLISHED: Final = {"parquet": "parquet", "webdataset": "tar"}  # forms of delivered data sets
HUGGING_FACE: Final = ("state.json", "dataset_dict.json")
# Folders of tables whose files alone do not say which rows they have.
TABLES: Final = {"_delta_log": "a Delta table", ".hoodie": "a Hudi table", "_versions": "a Lance table"}
_NO_FILE: Final = "is not a regular file; write it to a file, or give it to standard input, and name -"
_PARENTS: Final = 8  # of a folder, any of which may be the table
_KEPT_MARKS: Final = frozenset({"_common_metadata"})
_STALE_MARKS: Final = frozenset({"_metadata"})


def open_source(manifest: Manifest, columns: Columns) -> Source:
    """Open a manifest: a file, a folder, a pattern of names, or several files of one format.

    Raises:
        BadManifest, FileUnreadable: It is invalid or unreadable.
        ExtraMissing: Its format needs an extra that is not installed.
    """
    paths = paths_of(manifest)
    if len(paths) > 1:
        return _several(paths, columns)
    (path,) = paths
    with reading(path):
        is_folder = path.is_dir()
    if not is_folder:
        if not path.exists():
            raise FileUnreadable(f"cannot read {str(path)!r}: No such file or directory")
        if not path.is_file():
            raise FileUnreadable(f"{str(path)!r} {_NO_FILE}")
        _refuse_part_of_table(path)
        return _opener(format_of(path) or "jsonl", columns)(path)
    if any((path / name).is_file() for name in HUGGING_FACE):
        from sayso.gate.formats.tables.hugging import open_hugging  # noqa: PLC0415 - needs its extra

        return open_hugging(path, columns)
    if form := form_of_published(path):
        return open_published(path, form, _opener(PUBLISHED.get(form, ""), columns), columns)
    return _of_folder(path, columns)


def paths_of(manifest: Manifest) -> list[Path]:
    """Return the paths that a manifest names; patterns are expanded, in the order of the names."""
    found = list[Path]()
    given = [manifest] if isinstance(manifest, Path | str) else list(manifest)
    for one in [Path(name) for name in given]:
        is_pattern = glob.has_magic(str(one)) and not one.exists()
        matches = sorted(glob.glob(str(one), recursive=True)) if is_pattern else []  # noqa: PTH207
        found += [Path(name) for name in matches] or [one]
    if not found:
        raise BadManifest("no manifest is named")
    return found


def name_of(paths: Sequence[Path]) -> str:
    """Return the name of a manifest for the record of a run."""
    return str(paths[0]) + (f" and {len(paths) - 1:,} more" if len(paths) > 1 else "")


def _several(paths: Sequence[Path], columns: Columns) -> Shards:
    formats = {format_of(one) for one in paths}
    if len(formats) > 1 or None in formats or not all(one.is_file() for one in paths):
        raise BadManifest("several manifests must be files of one format, by their names")
    for one in paths:
        _refuse_part_of_table(one)
    base = Path(os.path.commonpath([one.absolute().parent for one in paths]))
    names = {one: one.absolute().relative_to(base) for one in paths}
    return Shards(base, names, _opener(str(*formats), columns))


def format_of(path: Path) -> str | None:
    """Return the format by which a file is read, by its name; None for another ending."""
    said = form_said(path)
    return "csv" if said.format in DELIMITERS else said.format or ("tar" if said.packing else None)


def _of_folder(path: Path, columns: Columns) -> Source:
    with reading(path):
        _refuse_part_of_table(path)
        found = sorted(_files(path), key=lambda one: one.parts)
    marks, about, files = list[Path](), list[Path](), list[Path]()
    for one in found:
        is_mark = one.name.startswith((".", "_"))
        (marks if is_mark else about if is_about(one.name) else files).append(one)
    if not files:
        raise BadManifest(f"{str(path)!r} has no file that is neither hidden nor about the data")
    formats = {format_of(one) for one in files}
    if len(formats) == 1 and None not in formats:
        if lost := [one for one in files if not one.is_file()]:
            why = "is a link that leads to no file" if lost[0].is_symlink() else _NO_FILE
            raise FileUnreadable(f"cannot read {str(lost[0])!r}: it {why}")
        return _shards(path, files, marks, about, _opener(str(*formats), columns))
    if columns.find is None:
        raise BadManifest(f"{str(path)!r} is {_mixture(files, path)}")
    return MediaFolder(path, columns.find)


def _mixture(files: Sequence[Path], path: Path) -> str:
    links = [one for one in files if one.is_symlink() and one.is_dir()]
    if links:
        return f"a folder with links to folders, which are not followed, such as {links[0].name!r}"
    tables = [one for one in files if format_of(one)]
    if tables and len(tables) < len(files):
        name = str(tables[0].relative_to(path))
        return f"a folder with files beside manifests; name the manifest itself, such as {name!r}"
    if tables:
        return "a folder of several formats; name a manifest, or the files of one format"
    return "a folder of media; name the consents with --bundle, or name a manifest"


def _refuse_part_of_table(path: Path) -> None:
    """Raise BadManifest if a path lies within a table, as its partitions and data files do."""
    if path.is_dir() or format_of(path) == "parquet":
        for one in path.absolute().parents[:_PARENTS]:
            _refuse_table(one, path)


def _refuse_table(folder: Path, path: Path) -> None:
    """Raise BadManifest if a folder is a table of which the path is the whole or a part."""
    kind = next((what for name, what in TABLES.items() if (folder / name).is_dir()), None)
    if any((folder / "metadata").glob("*.metadata.json")):
        kind = "an Iceberg table"
    if kind:
        raise BadManifest(
            f"{str(path)!r} is {kind}: its files alone hold rows that were deleted; write the"
            " current version to Parquet with the table's own library, and check that"
        )


def _files(folder: Path) -> Iterator[Path]:
    """Yield all files below a folder, except within folders that data engines hide."""
    _refuse_table(folder, folder)
    with os.scandir(folder) as entries:
        for entry in entries:
            one = folder / entry.name
            if entry.is_dir(follow_symlinks=False) and not entry.name.startswith((".", "_")):
                yield from _files(one)
            else:
                yield one


def _shards(
    path: Path, files: Sequence[Path], marks: Sequence[Path], about: Sequence[Path], open_one: Opener
) -> Shards:
    """Open the files of one format; marks of engines that stay true are kept beside them."""
    kept = {one.relative_to(path): one for one in marks if one.name in _KEPT_MARKS}
    source = Shards(path, {one: one.relative_to(path) for one in files}, open_one, kept)
    stale = [one for one in marks if one.name in _STALE_MARKS]
    hidden = [one for one in marks if one.name not in _STALE_MARKS | _KEPT_MARKS]
    source.notes += left_out(stale, path, "it lists row groups that are not kept")
    source.notes += left_out([*hidden, *about], path, "they are hidden or about the data")
    return source


def _opener(name: str, columns: Columns) -> Opener:
    if name == "jsonl":
        return partial(JsonLines, columns=columns)
    if name == "csv":
        return partial(Separated, columns=columns)
    if name == "tar":
        return partial(Tar, columns=columns)
    if name == "arrow":
        from sayso.gate.formats.tables.arrow import Arrow  # noqa: PLC0415 - needs the data extra

        return partial(Arrow, columns=columns)
    from sayso.gate.formats.tables.parquet import Parquet  # noqa: PLC0415 - needs the data extra

    return partial(Parquet, columns=columns)
