"""Detection of a manifest's format by its name, or by the files in a folder."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Final

from sayso.errors import BadManifest, FileUnreadable
from sayso.gate.formats.base import Columns, Source, reading
from sayso.gate.formats.lines import CommaSeparated, JsonLines
from sayso.gate.formats.media import MediaFolder
from sayso.gate.formats.shards import Shards
from sayso.gate.formats.tar import Tar

ENDINGS: Final = {
    ".parquet": "parquet",
    ".pq": "parquet",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".csv": "csv",
    ".tsv": "csv",
    ".tar": "tar",
    ".tgz": "tar",
    ".gz": "tar",
}
HUGGING_FACE: Final = ("state.json", "dataset_dict.json")


def open_source(path: Path, columns: Columns) -> Source:
    """Open the manifest at a path.

    Raises:
        BadManifest, FileUnreadable: It is invalid or unreadable.
        ExtraMissing: Its format needs an extra that is not installed.
    """
    with reading(path):
        is_folder = path.is_dir()
    if not is_folder:
        return _opener(_format_of(path), columns)(path)
    if any((path / name).is_file() for name in HUGGING_FACE):
        from sayso.gate.formats.hugging import HuggingFace  # noqa: PLC0415 - needs its extra

        return HuggingFace(path, columns)
    files = _shards(path)
    if files:
        return Shards(path, files, _opener(ENDINGS[files[0].suffix], columns))
    if columns.find is None:
        raise BadManifest(
            f"{str(path)!r} is a folder of media or of several formats; name the consents with"
            " --bundle, or name a manifest"
        )
    return MediaFolder(path, columns.find)


def _shards(path: Path) -> Sequence[Path]:
    """Return the files below a folder of one format; an empty list for any other folder.

    Names that begin with a dot or an underscore are skipped, because data engines use them for marks.
    """
    with reading(path):
        files = sorted(_visible(path))
    formats = {ENDINGS.get(one.suffix) for one in files}
    if len(formats) == 1 and None not in formats and all(one.is_file() for one in files):
        return files
    return ()


def _visible(folder: Path) -> Iterator[Path]:
    for one in folder.iterdir():
        if one.name.startswith((".", "_")):
            continue
        if one.is_dir() and not one.is_symlink():
            yield from _visible(one)
        else:
            yield one


def _format_of(path: Path) -> str:
    """Open a file in the format of its name; any other ending is JSON Lines."""
    if not path.exists():
        raise FileUnreadable(f"cannot read {str(path)!r}: No such file or directory")
    return ENDINGS.get(path.suffix, "jsonl")


def _opener(name: str, columns: Columns) -> Callable[[Path], Source]:
    if name == "jsonl":
        return partial(JsonLines, columns=columns)
    if name == "csv":
        return partial(CommaSeparated, columns=columns)
    if name == "tar":
        return partial(Tar, columns=columns)
    from sayso.gate.formats.parquet import Parquet  # noqa: PLC0415 - needs the data extra

    return partial(Parquet, columns=columns)
