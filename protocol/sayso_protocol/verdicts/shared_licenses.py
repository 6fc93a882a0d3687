"""Licenses of items that belong to several parties, found in memory (rule 8.7)."""

from collections.abc import Iterable

from sayso_protocol.verdicts.verdict import LicenseView, NamedLicense, Sought


class SharedLicenses:
    """SharedLicenses finds, in memory, licenses with several parties by item and list."""

    def __init__(self) -> None:
        self._found: dict[tuple[bytes, tuple[bytes, ...]], list[NamedLicense]] = {}

    def add(self, name: bytes, held: LicenseView, items: Iterable[bytes]) -> None:
        """Add a license with its hash; one with a single party has no influence on others."""
        if len(held.consent.parties) > 1:
            for item in items:
                self._found.setdefault((item, held.consent.parties), []).append(NamedLicense(name, held))

    def on(self, item: bytes, parties: tuple[bytes, ...]) -> list[NamedLicense]:
        """Return the licenses on an item with the identical list of parties."""
        return self._found.get((item, parties), [])

    def considered(self, sought: Sought) -> list[NamedLicense]:
        """Return the licenses of all parties of the list (see OtherParties)."""
        return self.on(sought.item, sought.parties)
