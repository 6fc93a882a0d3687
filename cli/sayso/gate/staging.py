"""Manifests that are elsewhere, on standard input or at URLs: each is copied once, and judged as kept.

What is judged is the copy, so nobody can give one reading other bytes than the next. A file that changes
while it is copied is refused, and so is one that is larger than the bound.
"""

import glob
import re
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, Any, Final

from sayso.errors import BadManifest, FileUnreadable, ManifestChanged
from sayso.extras import extra
from sayso.files import reading
from sayso.gate.formats.opening import Manifest, name_of, paths_of
from sayso.outputs import output_errors
from sayso_protocol.errors import SaysoError, TooLarge
from sayso_protocol.redaction import redacted, shown_url

_STDIN: Final = "-"
MOST_BYTES: Final = 1 << 40  # of all copies of one check
_CHUNK_BYTES: Final = 1 << 20
_URL: Final = re.compile(r"([a-z][a-z0-9+]*)://")
SCHEMES: Final = {"https", "http", "s3", "gs", "hf", "abfs", "memory"}
_WEB: Final = {"https", "http"}  # which list no folders
# What tells one version of a file from another, as far as a service says.
_VERSION: Final = ("size", "ETag", "etag", "LastModified", "last_modified", "mtime", "VersionId",
                   "generation", "blob_id", "last_commit", "created")  # fmt: skip


class Staged:
    """Staged holds the local places of a manifest, and how the user named it.

    Attributes:
        paths: The files.
        name: The name for the record, without secrets.
    """

    def __init__(self, paths: Sequence[Path], name: str) -> None:
        self.paths, self.name = list(paths), name


def is_elsewhere(name: object) -> bool:
    """Return whether a name means standard input or a URL."""
    return isinstance(name, str) and (name == _STDIN or _URL.match(name) is not None)


@contextmanager
def staged(
    manifest: Manifest, ending: str = ".jsonl", most: int = MOST_BYTES, stdin: IO[bytes] | None = None
) -> Iterator[Staged]:
    """Copy what is elsewhere into a temporary folder, and yield the places of all files.

    Args:
        manifest: As Gate.check takes it; `-` is standard input.
        ending: The ending of standard input, which says its format.
        most: The most bytes of all copies.
        stdin: Standard input, by default that of the process.

    Raises:
        FileUnreadable: A URL cannot be read, or its scheme is not one of SCHEMES.
        ManifestChanged: A file changed while it was copied.
        TooLarge: There are more bytes.
        ExtraMissing: fsspec, or what it needs for the scheme, is not installed.
    """
    given = [manifest] if isinstance(manifest, Path | str) else list(manifest)
    if not any(map(is_elsewhere, given)):
        paths = paths_of(manifest)
        yield Staged(paths, name_of(paths))
        return
    with tempfile.TemporaryDirectory(prefix="sayso-") as name:
        copy = _Copy(Path(name), most)
        try:
            paths = [path for one in given for path in copy.of(one, ending, stdin)]
            shown = [_shown(one) for one in given]
            yield Staged(paths, shown[0] + (f" and {len(given) - 1:,} more" if len(given) > 1 else ""))
        except SaysoError as error:
            error.args = (copy.renamed(str(error)),)
            raise


def _shown(one: Path | str) -> str:
    text = str(one)
    return "standard input" if text == _STDIN else shown_url(text) if is_elsewhere(one) else text


class _Copy:
    """_Copy copies files into a folder, up to a bound."""

    def __init__(self, folder: Path, most: int) -> None:
        self._folder, self._left = folder, most
        self._names: dict[str, str] = {}

    def renamed(self, text: str) -> str:
        """Return a text in which the copies have the names of what was copied."""
        for place, name in self._names.items():
            text = text.replace(place, name)
        return redacted(text)

    def of(self, one: Path | str, ending: str, stdin: IO[bytes] | None) -> list[Path]:
        """Return the local places of one name; raises as `staged`."""
        if not is_elsewhere(one):
            return paths_of(one)
        root = self._folder / str(len(self._names))
        self._names[str(root)] = _shown(one)
        if one == _STDIN:
            place = root / f"stdin{ending}"
            with reading(Path("standard input")):
                self._copy(stdin or sys.stdin.buffer, place)
            return [place]
        return self._fetched(str(one), root)

    def _fetched(self, url: str, root: Path) -> list[Path]:
        scheme = _URL.match(url)
        if scheme is None or scheme[1] not in SCHEMES or "::" in url:
            why = f"the URL of a manifest begins with one of {', '.join(sorted(SCHEMES))}"
            raise FileUnreadable(f"cannot read {shown_url(url)!r}: {why}")
        with extra("remote"):
            import fsspec  # noqa: PLC0415 - only for URLs
        is_web = scheme[1] in _WEB
        try:
            files, path = fsspec.core.url_to_fs(url)
            path = _pinned(files, path) if scheme[1] == "hf" else path
            names = _names(files, path, is_web=is_web)
            places = [self._place(root, name, path) for name in names]
            for name, place in zip(names, places, strict=True):
                self._fetch(files, name, place, is_web=is_web)
        except SaysoError:
            raise
        except ImportError as error:
            with extra("remote"):
                raise ModuleNotFoundError(str(error), name=f"what reads {scheme[1]}") from error
        except Exception as error:
            why = redacted(" ".join(str(error).split())[:200], url) or type(error).__name__
            raise FileUnreadable(f"cannot read {shown_url(url)!r}: {why}") from error
        is_one = len(places) == 1 and not glob.has_magic(path)
        return places if is_one or glob.has_magic(path) else [root]

    def _fetch(self, files: Any, name: str, place: Path, *, is_web: bool) -> None:
        """Copy a file in one version; of the web in one request, so that no two answers are joined."""
        before = _version(files, name)
        changed = ManifestChanged(f"{name!r} changed while it was copied")
        with files.open(name, "rb", **({"block_size": 0} if is_web else {})) as file:
            # An object store reads what has this tag only, and nothing of a version between.
            tag = before.get("ETag")
            if getattr(file, "details", {}).get("ETag", tag) != tag:
                raise changed
            try:
                self._copy(file, place)
            except OSError as error:
                if _version(files, name) != before or type(error).__name__ == "FileExpired":
                    raise changed from error
                raise
        if _version(files, name) != before:
            raise changed
        size = place.stat().st_size
        if before.get("size", size) != size:
            raise FileUnreadable(
                f"{size:,} bytes of {name!r} arrived, and its service says {before['size']:,}"
            )

    @staticmethod
    def _place(root: Path, name: str, path: str) -> Path:
        """Return the place of a remote file, below the folder that the user named."""
        base = PurePosixPath(path)
        while glob.has_magic(str(base)) or str(base) == name:
            base = base.parent
        inside = PurePosixPath(name.partition("?")[0]).relative_to(str(base).partition("?")[0])
        if ".." in inside.parts or not inside.parts:
            raise BadManifest(f"the name {name!r} leads out of its folder")
        return root.joinpath(*inside.parts)

    def _copy(self, file: IO[bytes], place: Path) -> None:
        with output_errors(place):
            place.parent.mkdir(parents=True, exist_ok=True)
            copy = place.open("xb")
        try:
            while data := file.read(_CHUNK_BYTES):  # whose errors are not those of the copy
                self._left -= len(data)
                if self._left < 0:
                    raise TooLarge("the manifest has more bytes than a check copies")
                with output_errors(place):
                    copy.write(data)
        finally:
            with output_errors(place):
                copy.close()


def _names(files: Any, path: str, *, is_web: bool) -> list[str]:
    if is_web:
        return [path]
    names = files.glob(path) if glob.has_magic(path) else [path]
    if len(names) == 1 and files.isdir(names[0]):
        names = files.find(names[0])
    if not names:
        raise FileNotFoundError("there is no such file")
    return sorted(map(str, names))


def _version(files: Any, name: str) -> dict[str, Any]:
    """Ask the service for the present version of a file, not what was listed before."""
    files.invalidate_cache()
    return _fields(files.info(name))


def _fields(info: Mapping[str, Any]) -> dict[str, Any]:
    return {field: info[field] for field in _VERSION if info.get(field) is not None}


def _pinned(files: Any, path: str) -> str:
    """Return a path on the hub that names the present commit, of which all files are read."""
    import huggingface_hub  # noqa: PLC0415 - its file system was opened

    found = files.resolve_path(path)
    if (revision := getattr(found, "revision", None)) is None:
        return path  # a bucket has no commits
    api = huggingface_hub.HfApi(endpoint=files.endpoint, token=files.token)
    commit = api.repo_info(found.repo_id, revision=revision, repo_type=found.repo_type).sha
    return f"{found.root.partition('@')[0]}@{commit}/{found.path_in_repo}".rstrip("/")
