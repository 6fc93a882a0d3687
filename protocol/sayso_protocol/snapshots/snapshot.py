"""Snapshots: a node's signed, expiring file of everything revoked, for checks offline (section 13).

A snapshot is a filter over the keys of the whole state. A delta is a list of the keys that are new since
the part before it. Both name the people and licenses for which they speak. A file holds a snapshot and
then its deltas, so a new delta is appended.

    snapshot = read_snapshot(open(path, "rb").read(), trusted)
    Snapshots([snapshot, another]).holds(keys)
    Snapshots([snapshot, another]).name(person_key(one) for one in people)
"""

from collections.abc import Iterable, Sequence
from functools import reduce
from itertools import pairwise
from operator import and_, or_

import numpy as np

from sayso_protocol.errors import MissingDelta, SnapshotExpired, UnknownSigner
from sayso_protocol.limits import LIMITS
from sayso_protocol.network_file import NetworkFile
from sayso_protocol.snapshots import hash_list
from sayso_protocol.snapshots.fuse_filter import Flags, Keys, Shape
from sayso_protocol.snapshots.head import Counts, Link, SnapshotHead
from sayso_protocol.snapshots.part import Part, read_body, read_parts
from sayso_protocol.verdicts.license_table import among


def packed_lists(
    salt: bytes, keys: int, named: Iterable[bytes], withdrawn: Iterable[bytes] = ()
) -> tuple[Counts, bytes]:
    """Return the counts of a body with so many keys, and its two lists of names (rule 13.7.4)."""
    lists = [hash_list.hashed(salt, some) for some in (named, withdrawn)]
    return Counts(keys, *map(len, lists)), b"".join(map(hash_list.packed, lists))


def link_after(head: SnapshotHead) -> Link:
    """Return the link of the delta that follows this part (rule 13.8.1)."""
    if isinstance(head.form, Link):
        return Link(head.form.snapshot, head.form.number + 1, head.id)
    return Link(head.id, 1, head.id)


class Snapshot:
    """Snapshot is a verified snapshot with its deltas (rule 13.5).

    Attributes:
        operator: The operator that signed all parts, by the network file.
        heads: The heads of the snapshot and its deltas; the last is valid for the whole file.
    """

    def __init__(self, parts: Sequence[Part], trusted: NetworkFile) -> None:
        """Check and join a snapshot and its deltas, in order (rules 13.5 and 13.8).

        Raises:
            MissingDelta: A part does not follow the part before it.
            Malformed: A body does not match its head.
            UnknownSigner: Another operator signed a delta; see Part.check for other errors.
        """
        if not parts or not isinstance(parts[0].head.form, Shape):
            raise MissingDelta("the snapshot to which the first delta belongs is missing")
        self.operator = parts[0].check(trusted)
        for before, part in pairwise(parts):
            if part.check(trusted) != self.operator:
                raise UnknownSigner("a delta is signed by another operator than the snapshot")
            if part.head.form != link_after(before.head):
                raise MissingDelta("a delta does not follow the part before it")
            if not {*before.head.heeded}.issuperset(part.head.heeded):  # 13.8.6
                raise MissingDelta("a delta heeds somebody whom the part before it does not")
        self.heads = tuple(part.head for part in parts)
        bodies = [read_body(part) for part in parts]
        self._sets = [one.keys for one in bodies]
        self._named = [one.named for one in bodies if len(one.named)]
        self._withdrawn = [one.withdrawn for one in bodies if len(one.withdrawn)]

    @property
    def head(self) -> SnapshotHead:
        """Return the last head, which is valid for the whole file (rule 13.8.2)."""
        return self.heads[-1]

    @property
    def keys(self) -> int:
        """Return the number of keys, including those of deltas."""
        return sum(head.counts.keys for head in self.heads)

    def holds(self, keys: Keys) -> Flags:
        """Return for each key, a row of 32 bytes, whether any part knows it (rule 13.5.4)."""
        return reduce(or_, [one.holds(keys) for one in self._sets])

    @property
    def named(self) -> int:
        """Return how many people and licenses the parts name; a part may repeat a name."""
        return sum(head.counts.named for head in self.heads)

    def name(self, keys: Iterable[bytes]) -> Flags:
        """Return for each key of a person or license whether the file names it (rule 13.5.5)."""
        return self.name_hashes(hash_list.hashes_of(self.heads[0].salt, keys))

    def name_hashes(self, wanted: hash_list.Names) -> Flags:
        """Return the same for hashes under the salt of the snapshot (see hash_list.hashes_of)."""
        found = np.zeros(len(wanted), bool)
        for names in self._named:
            found |= among(wanted, names)
        for names in self._withdrawn:
            found &= ~among(wanted, names)
        return found

    def is_fresh(self, now: float, max_age_s: float) -> bool:
        """Return whether the file is valid for this moment (rule 13.9); False if `now` is NaN."""
        moment = self.head.moment
        return (
            now < moment.expires_at
            and now - moment.as_of <= max_age_s
            and moment.as_of - now <= LIMITS.clock_skew_s
        )

    def check_fresh(self, now: float, max_age_s: float) -> None:
        """Raise SnapshotExpired unless the file is valid for this moment (rule 13.9)."""
        if not self.is_fresh(now, max_age_s):
            moment = self.head.moment
            raise SnapshotExpired(
                f"the snapshot of {self.operator.name} is valid for {moment.as_of} and expires at"
                f" {moment.expires_at}; it is {now:.0f}, and it may be {max_age_s:.0f} s old"
            )


def read_snapshot(data: bytes, trusted: NetworkFile) -> Snapshot:
    """Read and verify a file; raises the errors of read_parts and Snapshot."""
    return Snapshot(list(read_parts(data)), trusted)


class Snapshots:
    """Snapshots joins files of several operators.

    A key is known if any file knows it, and a person or license is named only if every file names it
    (rule 13.10). So the union clears only what each of its files clears alone.
    """

    def __init__(self, snapshots: Iterable[Snapshot]) -> None:
        self.all = tuple(snapshots)
        if not self.all:
            raise MissingDelta("no snapshot was given")

    def holds(self, keys: Keys) -> Flags:
        """Return for each key, a row of 32 bytes, whether any file knows it (rule 13.10)."""
        return reduce(or_, [one.holds(keys) for one in self.all])

    def name(self, keys: Iterable[bytes]) -> Flags:
        """Return for each key of a person or license whether every file names it (rule 13.10.3)."""
        wanted = list(keys)
        return reduce(and_, [one.name(wanted) for one in self.all])

    def is_fresh(self, now: float, max_age_s: float) -> bool:
        """Return whether every file is valid for this moment (rule 13.9.2)."""
        return all(one.is_fresh(now, max_age_s) for one in self.all)

    @property
    def as_of(self) -> int:
        """Return the oldest `as_of` of all files, seconds since the epoch."""
        return min(one.head.moment.as_of for one in self.all)

    @property
    def heeded(self) -> frozenset[bytes]:
        """Return the addresses whose disputes every file has (rule 13.10.6)."""
        return frozenset.intersection(*(frozenset(one.head.heeded) for one in self.all))
