"""The demo's people: three contributors and a buyer, with the files they license.

One contributor licenses the folder of files. Two others license a recorded call, which needs the consent
of both, and each of them licenses a note. This gives four more consents.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from eth_account.signers.local import LocalAccount

from sayso.contributor.keystore import new_account
from sayso.contributor.licensing import SignedGrant, Terms, grant
from sayso.demo.stage import Later
from sayso.files import HashedFile, find_files, hash_files
from sayso_protocol.messages.envelope import Envelope
from sayso_protocol.network import Network
from sayso_protocol.primitives import address_from_text
from sayso_protocol.verdicts.query import Query
from sayso_protocol.verdicts.verdict import Row

TRAINING: Final = "train-generative-ai"
CLONING: Final = "likeness-synthesis"
MARKET: Final = "market.example"
CALLS: Final = "calls.example"
DAY_S: Final = 86_400
CALL_FILES: Final = {
    "call/left.txt": "Hello? Yes, I can hear you well.\n",
    "call/right.txt": "Good. I only wanted to ask about Sunday.\n",
}


@dataclass(frozen=True)
class ManifestRow:
    """ManifestRow is a row of the buyer's manifest: a file with its item and license."""

    file: Path
    row: Row


@dataclass
class People:
    """People holds the keys of all people, and the licensed rows."""

    contributor: LocalAccount = field(default_factory=new_account)
    caller: LocalAccount = field(default_factory=new_account)
    called: LocalAccount = field(default_factory=new_account)
    buyer: LocalAccount = field(default_factory=new_account)
    own: list[ManifestRow] = field(default_factory=list)  # rows of the folder
    others: list[ManifestRow] = field(default_factory=list)

    @property
    def manifest(self) -> list[ManifestRow]:
        """Return all rows, the folder's first."""
        return [*self.own, *self.others]

    def query(self, purpose: str) -> Query:
        """Return the buyer's query for a purpose."""
        return Query(address_from_text(self.buyer.address), purpose)

    def license_folder(self, network: Network, folder: Path) -> list[Envelope]:
        """Sign the contributor's consents for every file of the folder, for two purposes."""
        files = list(hash_files(find_files([folder]).files))
        granted = self._grant(self.contributor, network, files, MARKET)
        self.own = _rows(granted)
        return list(granted.envelopes)

    def license_call(self, network: Network, folder: Path) -> list[Envelope]:
        """Sign four consents: those of both callers for their call and for a note each."""
        shared = _write(folder, CALL_FILES)
        parties = tuple(address_from_text(one.address) for one in (self.caller, self.called))
        envelopes: list[Envelope] = []
        for account, name in ((self.caller, "caller"), (self.called, "called")):
            call = self._grant(account, network, shared, CALLS, parties)
            notes = _write(folder, {f"{name}/note.txt": f"A note by the {name}.\n"})
            note = self._grant(account, network, notes, CALLS)
            envelopes += [*call.envelopes, *note.envelopes]
            self.others += [*_rows(call), *_rows(note)]
        return envelopes

    def _grant(
        self,
        account: LocalAccount,
        network: Network,
        files: list[HashedFile],
        via: str,
        parties: tuple[bytes, ...] = (),
    ) -> SignedGrant:
        now = int(time.time())
        grantee = address_from_text(self.buyer.address)
        terms = Terms(grantee, (TRAINING, CLONING), now + 365 * DAY_S, via, parties)
        return grant(account, network, files, terms, now)


@dataclass
class Sale:
    """Sale holds a license that a marketplace passes on to a lab.

    Attributes:
        market: The key of the marketplace, the consent's grantee.
        lab: The key of the lab.
    """

    market: LocalAccount = field(default_factory=new_account)
    lab: LocalAccount = field(default_factory=new_account)
    consent = Later[Envelope]("nothing is sold yet")

    @property
    def row(self) -> Row:
        """Return the row of the only file."""
        return Row(self.consent.digest, self.consent.items[0])


def _rows(granted: SignedGrant) -> list[ManifestRow]:
    return [ManifestRow(one.path, Row(license_hash, one.item)) for one, license_hash in granted.rows]


def _write(folder: Path, texts: dict[str, str]) -> list[HashedFile]:
    return list(hash_files(written(folder, texts)))


def written(folder: Path, texts: dict[str, str]) -> Iterator[Path]:
    """Write texts to files and yield the path of each."""
    for name, text in texts.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        yield path


def three_items(rows: list[ManifestRow]) -> list[bytes]:
    """Return up to three different items, preferring items that only one file holds."""
    counts: dict[bytes, int] = {}
    for one in rows:
        counts[one.row.item] = counts.get(one.row.item, 0) + 1
    return sorted(counts, key=lambda item: counts[item])[:3]
