"""The columns of the hashes: those that the user named, else the first with a usual name."""

from collections.abc import Sequence
from typing import Final

from sayso.errors import BadManifest

# In this order, because `license` may also hold the name of a software license.
LICENSE_NAMES: Final = ("sayso_license", "license_hash", "license")
ITEM_NAMES: Final = ("sayso_item", "item_hash", "item", "sha256")


def find_columns(names: Sequence[str], license_: str | None, item: str | None) -> tuple[str, str]:
    """Return the names of the columns of license and item; raises BadManifest."""
    return (
        _find(names, (license_,) if license_ else LICENSE_NAMES, "license"),
        _find(names, (item,) if item else ITEM_NAMES, "item"),
    )


def _find(names: Sequence[str], usual: Sequence[str], what: str) -> str:
    for name in usual:
        if (count := names.count(name)) > 1:
            raise BadManifest(f"the column {name!r} occurs {count} times")
        if count:
            return name
    shown = ", ".join(map(repr, names[:20]))
    raise BadManifest(f"no column {' or '.join(usual)} for the {what} hash among: {shown}")
