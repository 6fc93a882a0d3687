"""Disputes offline: which files and contributors somebody who is heeded disputes (rule 13.10.6)."""

from collections.abc import Sequence

import numpy as np

from sayso_protocol.messages.consent import Consent
from sayso_protocol.primitives import HASH_BYTES
from sayso_protocol.snapshots.keys import as_keys, dispute_key, disputer_key
from sayso_protocol.snapshots.snapshot import Snapshots
from sayso_protocol.verdicts.license_table import Flags


class OfflineDisputes:
    """OfflineDisputes looks disputes of some addresses up in files.

    Attributes:
        is_sure: Whether every file says that its maker heeds all of the addresses.

    Args:
        heed: Addresses, 20 bytes each.
        snapshots: The files.
    """

    def __init__(self, heed: Sequence[bytes], snapshots: Snapshots) -> None:
        self._snapshots = snapshots
        self.is_sure = snapshots.heeded.issuperset(heed)
        flags = self._holds([disputer_key(one) for one in heed])
        self._disputers = [one for one, flag in zip(heed, flags, strict=True) if flag]
        self._people: dict[bytes, bool] = {}

    def __bool__(self) -> bool:
        """Return whether any of the addresses disputes anything."""
        return bool(self._disputers)

    def disputed(self, rows: Sequence[tuple[bytes, Consent]]) -> Flags:
        """Return for each item hash and its consent whether the item or a party is disputed."""
        self._look([party for _, one in rows for party in one.parties])
        items = [*dict.fromkeys(item for item, _ in rows)]
        of_item = dict(zip(items, self._any(items), strict=True))
        return np.array(
            [of_item[item] or any(self._people[who] for who in one.parties) for item, one in rows], bool
        )

    def _look(self, people: Sequence[bytes]) -> None:
        new = [one for one in dict.fromkeys(people) if one not in self._people]
        flags = self._any([one.rjust(HASH_BYTES, b"\0") for one in new])  # rule 3.15.3
        self._people |= zip(new, flags, strict=True)

    def _any(self, hashes: Sequence[bytes]) -> list[bool]:
        """Return for each hash whether any of the addresses disputes it."""
        flags = self._holds([dispute_key(who, one) for one in hashes for who in self._disputers])
        each = len(self._disputers)
        return [any(flags[at * each : (at + 1) * each]) for at in range(len(hashes))]

    def _holds(self, keys: Sequence[bytes]) -> list[bool]:
        held: list[bool] = self._snapshots.holds(as_keys(b"".join(keys))).tolist() if keys else []
        return held
