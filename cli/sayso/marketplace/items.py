"""Items that a marketplace keeps: each file with a salt of its own, so that nobody can guess it.

Rule 1.5: the item hash is SHA-256(salt . SHA-256(bytes)). The salt is delivered with the data and never
published. A file whose bytes or salt no longer give its item is never delivered.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, select

from sayso.errors import WrongItem
from sayso.files import item_hash
from sayso.marketplace.tables import changing, insert_once, items, parts
from sayso_protocol.primitives import hex_text, sha256

SALT_BYTES: Final = 32
KEPT_CHARACTERS: Final = 255  # of a file's name, from its end
_NO_TEXT: Final = re.compile("[\0\ud800-\udfff]")  # which databases and tables do not take


@dataclass(frozen=True)
class KeptItem:
    """KeptItem is a file of the shop.

    Attributes:
        item: The item hash, 32 bytes.
        salt: 32 bytes; empty if the item is the plain SHA-256 of the file.
        name: The file's name in data sets.
        path: Where the file is.
    """

    item: bytes
    salt: bytes
    name: str
    path: Path

    def check(self, digest: bytes) -> None:
        """Raise WrongItem unless a file with this SHA-256 is the item."""
        if salted(digest, self.salt) != self.item:
            raise WrongItem(f"{str(self.path)!r} with its salt is not the item {hex_text(self.item)}")


def salted(file: bytes, salt: bytes) -> bytes:
    """Return the item hash of a file with this SHA-256; raises WrongItem for an unusual salt."""
    if len(salt) not in {0, SALT_BYTES}:
        raise WrongItem(f"a salt has {SALT_BYTES} bytes, not {len(salt)}")
    return sha256(salt + file) if salt else file


def keep(
    db: Connection, path: Path, name: str, salt: bytes | None, now: float, random: Callable[[int], bytes]
) -> KeptItem:
    """Keep a file under a new salt, or a given one; raises WrongItem and FileUnreadable.

    Names are input of strangers; what no database takes of them is replaced.
    """
    chosen = random(SALT_BYTES) if salt is None else salt
    called = _NO_TEXT.sub("\ufffd", (name or path.name)[-KEPT_CHARACTERS:])
    one = KeptItem(salted(item_hash(path), chosen), chosen, called, path.absolute())
    row = {"item": one.item, "salt": one.salt, "name": one.name, "path": str(one.path)}
    with changing(db):  # after the file was read: nobody waits for that
        insert_once(db, items, [row | {"kept_at": now}])
    return one


def kept(db: Connection, hashes: Iterable[bytes]) -> dict[bytes, KeptItem]:
    """Return the kept files of some item hashes; raises WrongItem if the shop does not keep one."""
    wanted, found = [*hashes], dict[bytes, KeptItem]()
    for part in parts(wanted):
        for row in db.execute(select(items).where(items.c.item.in_(part))):
            found[row.item] = KeptItem(row.item, row.salt, row.name, Path(row.path))
    if missing := [one for one in wanted if one not in found]:
        raise WrongItem(f"the shop keeps no file of the item {hex_text(missing[0])}")
    return found
