"""The license bundle: the signed consents and sublicenses that a buyer relies on, beside the data.

A bundle is a folder of files that `sayso submit` accepts, or one such file. Every signature is verified
when the bundle is read. Messages of contract wallets, which only the chain can verify, are left out and
counted; rows of such consents are `unknown` offline.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple

from sayso.contributor.saved_messages import MAX_BYTES, bundle_bytes, read_bounded
from sayso.errors import FileUnreadable
from sayso.files import reading
from sayso.gate.marks import FileMark, mark
from sayso.outputs import Outputs, StagedFolder
from sayso_protocol.errors import BadSignature, SaysoError, Unsupported
from sayso_protocol.limits import LIMITS
from sayso_protocol.messages.consent import Consent
from sayso_protocol.messages.envelope import Envelope, decode
from sayso_protocol.messages.statements.sublicense import Sublicense
from sayso_protocol.messages.wire import decode_bundle
from sayso_protocol.network import Network
from sayso_protocol.primitives import sha256
from sayso_protocol.signatures.wallets import EoaVerifier
from sayso_protocol.snapshots.offline_chains import HeldSublicense
from sayso_protocol.verdicts.chains import Hop
from sayso_protocol.verdicts.license_table import LicenseTable
from sayso_protocol.verdicts.query import Query
from sayso_protocol.verdicts.verdict import License, Reason, judge_terms

ENDING: Final = ".sayso"


class Place(NamedTuple):
    """Place says where a message lies: the number of its file, from 0, and its bytes in it."""

    file: int
    start: int
    size: int


@dataclass
class LicenseBundle:
    """LicenseBundle holds verified consents by license hash, and verified sublicenses by digest.

    Attributes:
        held: License hash -> terms and items.
        sublicenses: Digest -> sublicense.
        unverified: The number of messages that only the chain can verify; they are not held.
        files: The files that were read, in order.
        places: Where the messages that were read from files lie, by digest.
    """

    held: dict[bytes, License] = field(default_factory=dict)
    sublicenses: dict[bytes, HeldSublicense] = field(default_factory=dict)
    unverified: int = 0
    files: list[FileMark] = field(default_factory=list)
    places: dict[bytes, Place] = field(default_factory=dict)

    def add(self, envelope: Envelope) -> None:
        """Verify a message, and hold a consent or sublicense; raises BadSignature, NotSponsored."""
        try:
            envelope.check_signatures(EoaVerifier())
        except Unsupported:
            self.unverified += 1
            return
        match envelope.message:
            case Consent() as consent:
                self.held[envelope.digest] = License(consent, envelope.items)
            case Sublicense() as terms:
                hop = Hop(envelope.digest, terms)
                self.sublicenses[envelope.digest] = HeldSublicense(hop, envelope.items)

    def rows(self) -> Iterator[tuple[bytes, Consent, tuple[bytes, ...]]]:
        """Return the licenses in the order of a license table."""
        for name, one in self.held.items():
            yield name, one.consent, one.items

    def table(self) -> LicenseTable:
        """Return a table in which many rows can be looked up."""
        return LicenseTable.of(self.rows())

    def finder(self, query: Query, now: float) -> Callable[[bytes], bytes | None]:
        """Return a function that finds an item's license, preferring one whose terms allow the use."""
        best: dict[bytes, tuple[bool, bytes]] = {}
        passed = (one for one in self.sublicenses.values() if one.hop.terms.grantee == query.grantee)
        reached = {name for one in passed for name in one.names}
        for name, one in sorted(self.held.items()):
            reason = judge_terms(one.consent, query, now)
            allows = reason is Reason.GRANTED or (reason is Reason.OTHER_GRANTEE and name in reached)
            for item in one.items:
                if item not in best or (allows and not best[item][0]):
                    best[item] = allows, name
        return lambda item: best[item][1] if item in best else None

    @property
    def digest(self) -> bytes:
        """Return the SHA-256 of all digests in order, which identifies this set."""
        return sha256(b"".join(sorted([*self.held, *self.sublicenses])))


class HeldBundle:
    """HeldBundle reads and verifies a bundle on first use, and finds the licenses of items in it."""

    def __init__(self, path: Path, network: Network, query: Query) -> None:
        self.path, self._network, self._query = path, network, query
        self._held: LicenseBundle | None = None
        self._finder: Callable[[bytes], bytes | None] | None = None

    def __getstate__(self) -> dict[str, Any]:
        """Return the state without what was read, which is read again on first use."""
        return {**self.__dict__, "_held": None, "_finder": None}

    def licenses(self) -> LicenseBundle:
        """Return the licenses; raises the errors of load_licenses."""
        if self._held is None:
            self._held = load_licenses(self.path, self._network)
        return self._held

    def find(self, item: bytes) -> bytes | None:
        """Return the license of an item, for data that names no licenses."""
        if self._finder is None:
            self._finder = self.licenses().finder(self._query, time.time())
        return self._finder(item)

    @property
    def has_chosen(self) -> bool:
        """Return whether the license of an item was asked for."""
        return self._finder is not None


def load_licenses(path: Path, network: Network) -> LicenseBundle:
    """Read and verify a bundle.

    Raises:
        FileUnreadable: A file cannot be read, or the folder has no file.
        BadSignature: A wallet did not sign its message. See decode for other errors.
    """
    licenses = LicenseBundle()
    for number, file in enumerate(bundle_files(path)):
        data, end = read_bounded(file, MAX_BYTES), 0
        licenses.files.append(mark(file, data))
        for envelope in _envelopes(file, data, network):
            start = data.index(envelope.body, end)
            end = start + len(envelope.body)
            licenses.places[envelope.digest] = Place(number, start, len(envelope.body))
            licenses.add(envelope)
    return licenses


def bundle_files(path: Path) -> list[Path]:
    """List the files of a bundle, in order; raises FileUnreadable."""
    with reading(path):
        files = sorted(path.glob(f"*{ENDING}")) if path.is_dir() else [path]
    if not files:
        raise FileUnreadable(f"{str(path)!r} contains no {ENDING} file")
    return files


def _envelopes(file: Path, data: bytes, network: Network) -> Iterator[Envelope]:
    try:
        for body in decode_bundle(data, MAX_BYTES):
            yield decode(body, network)
    except BadSignature:
        raise
    except SaysoError as error:
        error.args = (f"{str(file)!r}: {error}",)
        raise


def save_licenses(path: Path, envelopes: Iterable[Envelope]) -> int:
    """Write a folder of bundle files atomically; returns the number of messages. Raises OutputFailed."""
    with Outputs() as outputs:
        count = fill_bundle(outputs.folder(path), Path(), envelopes)
        outputs.commit()
    return count


def fill_bundle(folder: StagedFolder, under: Path, envelopes: Iterable[Envelope]) -> int:
    """Write the files of a bundle into a staged folder, below a relative path; see save_licenses."""
    ordered = sorted(envelopes, key=lambda one: one.digest)
    for at in range(0, len(ordered), LIMITS.items):
        name = f"{at // LIMITS.items:05}{ENDING}"
        folder.write(under / name, bundle_bytes(ordered[at : at + LIMITS.items]))
    return len(ordered)


def counted(licenses: Mapping[bytes, License]) -> tuple[int, int]:
    """Count the items and the permissions."""
    items = sum(one.consent.items for one in licenses.values())
    return items, sum(one.consent.items * len(one.consent.purposes) for one in licenses.values())
