"""The license bundle: the signed consents and sublicenses that a buyer relies on, beside the data.

A bundle is a folder of files that `sayso submit` accepts, or one such file. Every signature is verified
when the bundle is read. Messages of contract wallets, which only the chain can verify, are left out and
counted; rows of such consents are `unknown` offline.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from sayso.contributor.saved_messages import MAX_BYTES, bundle_bytes, read_bounded
from sayso.errors import FileUnreadable
from sayso.gate.formats.base import reading
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


@dataclass
class LicenseBundle:
    """LicenseBundle holds verified consents by license hash, and verified sublicenses by digest.

    Attributes:
        held: License hash -> terms and items.
        sublicenses: Digest -> sublicense.
        unverified: The number of messages that only the chain can verify; they are not held.
    """

    held: dict[bytes, License] = field(default_factory=dict)
    sublicenses: dict[bytes, HeldSublicense] = field(default_factory=dict)
    unverified: int = 0

    def add(self, envelope: Envelope) -> None:
        """Verify a consent or sublicense and hold it; raises BadSignature, NotSponsored."""
        if not isinstance(envelope.message, Consent | Sublicense):
            return
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


def load_licenses(path: Path, network: Network) -> LicenseBundle:
    """Read and verify a bundle.

    Raises:
        FileUnreadable: A file cannot be read, or the folder has no file.
        BadSignature: A wallet did not sign its message. See decode for other errors.
    """
    licenses = LicenseBundle()
    for file in bundle_files(path):
        for envelope in _envelopes(file, network):
            licenses.add(envelope)
    return licenses


def bundle_files(path: Path) -> list[Path]:
    """List the files of a bundle, in order; raises FileUnreadable."""
    with reading(path):
        files = sorted(path.glob(f"*{ENDING}")) if path.is_dir() else [path]
    if not files:
        raise FileUnreadable(f"{str(path)!r} contains no {ENDING} file")
    return files


def _envelopes(file: Path, network: Network) -> Iterator[Envelope]:
    try:
        for data in decode_bundle(read_bounded(file, MAX_BYTES), MAX_BYTES):
            yield decode(data, network)
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
        file = folder.open(under / f"{at // LIMITS.items:05}{ENDING}")
        file.write(bundle_bytes(ordered[at : at + LIMITS.items]))
        file.finish()
    return len(ordered)


def counted(licenses: Mapping[bytes, License]) -> tuple[int, int]:
    """Count the items and the permissions."""
    items = sum(one.consent.items for one in licenses.values())
    return items, sum(one.consent.items * len(one.consent.purposes) for one in licenses.values())
