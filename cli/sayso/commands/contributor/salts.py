"""The item hashes under which files may be licensed: the plain one, and one for each secret.

`sayso grant --salted` and the page of a node write the secrets as rows {"file", "item", "salt"}. A row
is found by the bytes of a file, not by its name, so that a file that was renamed or moved is found, too.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from sayso.contributor.planning import FileItems
from sayso.errors import BadSalts
from sayso.files import SALT_BYTES, HashedFile, opening
from sayso.gate.formats.json_rows import parse_fields
from sayso_protocol.errors import Malformed
from sayso_protocol.primitives import hash_from_text, salted_item

SALT_LINE_BYTES: Final = 64 * 1024  # paths have at most 4,096 bytes, each six in JSON at worst


def licensed_items(files: Iterable[HashedFile], salts: Iterable[Path]) -> tuple[FileItems, ...]:
    """Return the item hashes of files, hashed plainly; raises BadSalts, FileUnreadable."""
    found, named = dict[bytes, dict[bytes, None]](), dict[str, list[bytes]]()
    for file in files:
        found.setdefault(file.item, {})
        named.setdefault(file.path.name, []).append(file.item)
    for name, item, salt in (row for path in salts for row in _rows(path)):
        # Most files still have their names; trying all files for each row takes hours for thousands.
        for one in (*named.get(name, ()), *found):
            if salted_item(salt, one) == item:
                found[one][item] = None
                break
    return tuple(FileItems(one, tuple(salted)) for one, salted in found.items())


def _rows(path: Path) -> Iterator[tuple[str, bytes, bytes]]:
    """Yield the name of each file, without folders, and its item hash and salt, 32 bytes each."""
    with opening(path, forward=True) as lines:
        number = 0
        while line := lines.readline(SALT_LINE_BYTES + 1):
            number += 1
            if len(line) > SALT_LINE_BYTES:
                raise BadSalts(
                    f"{str(path)!r}, line {number}: longer than {SALT_LINE_BYTES // 1024} KiB"
                )
            if line.strip():
                yield _row(path, number, line)


def _row(path: Path, number: int, line: bytes) -> tuple[str, bytes, bytes]:
    fields = parse_fields(path, number, line, BadSalts)
    try:
        item, salt = (hash_from_text(fields[name]) for name in ("item", "salt"))
    except (KeyError, TypeError, Malformed) as error:
        raise BadSalts(
            f"{str(path)!r}, line {number}: no `item` with a `salt` of {SALT_BYTES} bytes, as 0x text"
        ) from error
    return str(fields.get("file", "")).rpartition("/")[2], item, salt
