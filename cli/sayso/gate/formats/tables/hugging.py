"""Hugging Face datasets on disk, written by `save_to_disk`: a dataset or a dictionary of splits.

A dataset is a folder of Arrow streams, with its features in files beside them. The streams are filtered
one by one, so that shards, features and media stay as they are, and nothing is decoded.
"""

import json
import secrets
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, Final

from sayso.errors import BadManifest
from sayso.files import opening
from sayso.gate.formats.base import Columns
from sayso.gate.formats.json_rows import STRICT
from sayso.gate.formats.media import left_out
from sayso.gate.formats.shards import Shards, ShardWriter
from sayso.gate.formats.tables.arrow import Arrow
from sayso.outputs import Outputs
from sayso_protocol.encoding.json_text import parse_json
from sayso_protocol.errors import Malformed

STATE_FILE: Final = "state.json"
SPLITS: Final = "dataset_dict.json"
_INFO: Final = "dataset_info.json"
_JSON_BYTES: Final = 16 * 1024 * 1024
_FINGERPRINT: Final = "_fingerprint"


def open_hugging(path: Path, columns: Columns) -> "HuggingFace":
    """Open a dataset, or a dictionary of splits.

    Raises:
        BadManifest, FileUnreadable: It is invalid or unreadable.
        ExtraMissing: Arrow is not installed.
    """
    folders = [path]
    if (path / SPLITS).is_file():
        names = _json(path / SPLITS).get("splits")
        if not isinstance(names, list) or not names:
            raise BadManifest(f"{str(path / SPLITS)!r} names no splits")
        folders = [path / _plain(one, path) for one in names]
    return HuggingFace(path, folders, columns)


class HuggingFace(Shards):
    """HuggingFace is a dataset in a folder; its splits are judged one after the other."""

    def __init__(self, path: Path, folders: list[Path], columns: Columns) -> None:
        self._states = {(one / STATE_FILE).relative_to(path): _json(one / STATE_FILE) for one in folders}
        files = [file for one in folders for file in _data_files(one, _json(one / STATE_FILE))]
        if len(set(files)) < len(files):
            raise BadManifest(f"{str(path)!r} names a data file twice; load and save it again")
        if lost := [one for one in folders if not (one / _INFO).is_file()]:
            raise BadManifest(
                f"{str(lost[0])!r} has no {_INFO}, without which datasets cannot load it;"
                " load and save it again"
            )
        beside = [path / SPLITS, *(one / _INFO for one in folders)]
        names = {one.relative_to(path): one for one in beside if one.is_file()}
        open_one = partial(Arrow, columns=columns)
        super().__init__(path, {one: one.relative_to(path) for one in files}, open_one, names)
        self.name = "hugging face dataset"
        known = {*files, *beside, *(one / STATE_FILE for one in folders)}
        others = [one for one in sorted(path.rglob("*")) if one.is_file() and one not in known]
        self.notes += left_out(others, path, "the dataset does not name them")

    def writer(self, outputs: Outputs, path: Path) -> ShardWriter:
        """Open a dataset of the same splits, shards and features."""
        writer = super().writer(outputs, path)
        for name, state in self._states.items():
            # Another fingerprint, or cached results of the whole data set would pass for its own.
            changed = {**state, _FINGERPRINT: secrets.token_hex(8)}
            writer.folder.write(name, json.dumps(changed, indent=2).encode())
        return writer


def _data_files(folder: Path, state: dict[str, Any]) -> Iterator[Path]:
    if state.get("_indices_data_files") or state.get("_indices_files"):
        raise BadManifest(
            f"{str(folder)!r} has an index of rows beside its data; load and save it again"
        )
    files = state.get("_data_files")
    if not isinstance(files, list) or not files:
        raise BadManifest(
            f"{str(folder / STATE_FILE)!r} names no data files, so datasets cannot load it;"
            " leave this split out, and save the others again"
        )
    for one in files:
        name = one.get("filename") if isinstance(one, dict) else None
        yield folder / _plain(name, folder)


def _plain(name: object, folder: Path) -> str:
    if not isinstance(name, str) or name in ("", ".", "..") or Path(name).name != name:
        raise BadManifest(f"{str(folder)!r} names a file outside of it: {name!r}")
    return name


def _json(path: Path) -> dict[str, Any]:
    with opening(path) as file:
        data = file.read(_JSON_BYTES + 1)
    try:
        found = parse_json(data, STRICT, most=_JSON_BYTES)
    except Malformed as error:
        raise BadManifest(f"{str(path)!r} is not JSON ({error})") from error
    if not isinstance(found, dict):
        raise BadManifest(f"{str(path)!r} is not a JSON object")
    return found
