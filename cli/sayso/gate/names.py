"""The columns of the hashes: those that the user named, else the first with a usual name."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final
from unicodedata import normalize
from urllib.parse import unquote

from sayso.errors import BadManifest
from sayso.gate.formats.base import Columns

# In this order, because `license` may also hold the name of a software license.
LICENSE_NAMES: Final = ("sayso_license", "license_hash", "license")
KEYS_ONLY: Final = "its folders name both license and item, so its rows name nothing"
ITEM_NAMES: Final = ("sayso_item", "item_hash", "item", "sha256")


def keys_of(path: Path) -> dict[str, str]:
    """Return the columns that a file has by its folders: `license=0x...` (keys of Hive).

    Raises:
        BadManifest: A key occurs twice.
    """
    pairs = [one.partition("=") for one in path.parts[:-1] if "=" in one]
    keys = {name: unquote(value) for name, _, value in pairs}
    if len(keys) < len(pairs):
        raise BadManifest(f"{str(path)!r} has a key of its folders twice")
    return keys


def find_columns(names: Sequence[str], columns: Columns, *, is_nested: bool = False) -> tuple[str, str]:
    """Return the names of the columns of license and item.

    Args:
        names: The names of all columns.
        columns: The names that the user gave, if any.
        is_nested: Whether `meta.license` may name a field of the column `meta`.

    Raises:
        BadManifest: There is no such column, or more than one.
    """
    return (
        _find(names, columns.license, LICENSE_NAMES, "license", is_nested=is_nested),
        _find(names, columns.item, ITEM_NAMES, "item", is_nested=is_nested),
    )


def find_with_keys(
    path: Path, names: Sequence[str], columns: Columns, *, is_nested: bool = False
) -> tuple[tuple[str, str], dict[str, str]]:
    """Return the names of the two columns, and the value of the one that the file has by its folders.

    Raises:
        BadManifest: As find_columns; also if file and folders have one, or the folders have both.
    """
    keys = keys_of(path)
    # A column that both the file and its folders have occurs twice, and is refused.
    found = find_columns([*names, *keys], columns, is_nested=is_nested)
    fixed = {name: keys[name] for name in found if name in keys}
    if len(fixed) == len(found):
        raise BadManifest(KEYS_ONLY)
    return found, fixed


def _find(
    names: Sequence[str], chosen: str | None, usual: Sequence[str], what: str, *, is_nested: bool
) -> str:
    for name in (wanted := (chosen,) if chosen else usual):
        if (count := names.count(name)) > 1:
            raise BadManifest(f"the column {name!r} occurs {count} times")
        first = name if count else name.partition(".")[0]
        if count or (is_nested and chosen and names.count(first) == 1):
            refuse_both(names, name)
            refuse_twins(names, first)
            return name
    shown = ", ".join(map(repr, names[:20]))
    raise BadManifest(
        f"there is no column {' or '.join(wanted)} for the {what} hash among: {shown}; name it with"
        f" --{what}-column"
    )


def refuse_both(names: Iterable[str], name: str) -> None:
    """Raise BadManifest if `meta.license` may be a column, or a field of the column `meta`."""
    outer, dot, _ = name.partition(".")
    if dot and {name, outer}.issubset(names):
        raise BadManifest(
            f"some readers take the column {name!r} for a field of {outer!r}; rename one of them"
        )


def refuse_twins(names: Iterable[str], name: str) -> None:
    """Raise BadManifest if another name is equal to one that is read, but for case or outer spaces.

    Many engines take such names for one (DuckDB, Spark, Hive), and would read the other column.
    """
    if (other := twin_of(names, name)) is not None:
        raise BadManifest(
            f"some readers take the columns {other!r} and {name!r} for one; rename one of them"
        )


def twin_of(names: Iterable[str], name: str) -> str | None:
    """Return another name that is equal but for case, form or outer spaces, or None."""
    mine = _folded(name)
    return next((one for one in names if one != name and _folded(one) == mine), None)


def _folded(name: str) -> str:
    return normalize("NFKC", normalize("NFKC", name).casefold()).strip()
