"""The hashes that a statement names, from lists, bundles and manifests, in any number.

They are sorted and named once. Their order is then that of the hashes, which shows neither the order of
a manifest nor what lay together in it.
"""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from sayso.contributor.saved_messages import load_bundle, read_bounded
from sayso.errors import BadList, NothingToState
from sayso.gate.formats.base import Columns
from sayso.gate.licenses import bundle_files
from sayso.gate.records.receipts import granted_rows
from sayso_protocol.errors import SaysoError, TooLarge
from sayso_protocol.messages.envelope import Envelope
from sayso_protocol.network import Network
from sayso_protocol.primitives import address_from_text, hash_from_text
from sayso_protocol.verdicts.license_table import named_licenses

LIST_BYTES: Final = 1 << 28  # four million hashes
LINE_BYTES: Final = 200
_WHAT: Final[dict[Callable[[str], bytes], str]] = {
    hash_from_text: "a hash (0x and 64 lower-case hexadecimal digits)",
    address_from_text: "an address (0x and 40 hexadecimal digits, in capitals as its wallet shows it)",
}


def sorted_once(hashes: Iterable[bytes]) -> tuple[bytes, ...]:
    """Return hashes in ascending order, each once; raises NothingToState for none."""
    found = tuple(sorted(set(hashes)))
    if not found:
        raise NothingToState("nothing is named: the list, bundle or manifest is empty")
    return found


def read_hashes(path: Path) -> list[bytes]:
    """Read a list of hashes, one on each line (`-` is standard input).

    Raises:
        BadList: A line is not a hash.
        FileUnreadable, TooLarge: The file cannot be read, or is larger than 256 MiB.
    """
    return _read(path, hash_from_text)


def read_addresses(path: Path) -> list[bytes]:
    """Read a list of addresses, one on each line; raises as `read_hashes`."""
    return _read(path, address_from_text)


def element(parse: Callable[[str], bytes], text: str, where: str) -> bytes:
    """Read an element of a list; raises BadList, which quotes nothing, as it may be a secret."""
    try:
        return parse(text)
    except SaysoError:
        raise BadList(f"{where}: not {_WHAT[parse]}") from None


def _read(path: Path, parse: Callable[[str], bytes]) -> list[bytes]:
    data = read_bounded(path, LIST_BYTES)
    if len(data) > LIST_BYTES:
        raise TooLarge(f"{str(path)!r} is larger than {LIST_BYTES:,} bytes")
    found = []
    for number, line in enumerate(data.split(b"\n"), 1):
        if text := line.strip():
            shown = text[:LINE_BYTES].decode(errors="replace")
            found.append(element(parse, shown, f"{str(path)!r}, line {number:,}"))
    return found


def load_messages(path: Path, network: Network) -> list[Envelope]:
    """Read the messages of a bundle: a file, or a folder of them; raises as `load_bundle`."""
    return [one for file in bundle_files(path) for one in load_bundle(file, network)]


def licenses_of_rows(manifest: Path, rejected: Path | None, columns: Columns) -> set[bytes]:
    """Return the licenses of a manifest's rows, without the rejected rows.

    Raises:
        BadManifest, FileUnreadable: A file is invalid, or names rejected rows that the manifest has not.
    """
    parts = granted_rows(manifest, rejected, columns)
    return {name for rows in parts for name in named_licenses(rows.tobytes())}
