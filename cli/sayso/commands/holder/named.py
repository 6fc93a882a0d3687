"""Options that name licenses: lists, signed messages, and the manifest of a check."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import click

from sayso.commands.buyer.dialect import COLUMN_OPTIONS
from sayso.commands.grouping import Command, gathering, taken
from sayso.commands.options import path_option
from sayso.gate.formats.base import Columns
from sayso.holder.hashes import licenses_of_rows, load_messages, read_hashes
from sayso_protocol.messages.consent import Consent
from sayso_protocol.messages.envelope import Envelope
from sayso_protocol.messages.message import Message, of_kind
from sayso_protocol.messages.statements.sublicense import Sublicense
from sayso_protocol.network import Network


@dataclass(frozen=True)
class Named:
    """Named holds the options that name licenses; all that they name is taken together.

    Attributes:
        licenses: A list of hashes.
        bundle: Signed messages: consents, or sublicenses, which stand for all their licenses.
        manifest, rejected: The rows of a check, and those that it refused.
        columns: How the rows of the manifest name license and item.
    """

    licenses: Path | None
    bundle: Path | None
    manifest: Path | None
    rejected: Path | None
    columns: Columns

    def __post_init__(self) -> None:
        """Raise a usage error for options that name nothing."""
        if not (self.licenses or self.bundle or self.manifest):
            raise click.UsageError("name licenses with --licenses, --bundle or --manifest")
        if self.rejected and not self.manifest:
            raise click.UsageError("--rejected needs the --manifest that was checked")

    def hashes(self, network: Network, *kinds: type[Message]) -> set[bytes]:
        """Return what is named; of a bundle, the messages of these kinds. Raises as the readers."""
        found = set(read_hashes(self.licenses)) if self.licenses else set()
        for kind in kinds:
            found |= self.messages(network, kind).keys()
        if self.manifest:
            found |= licenses_of_rows(self.manifest, self.rejected, self.columns)
        return found

    def messages(self, network: Network, kind: type[Message]) -> dict[bytes, Envelope]:
        """Return the bundle's messages of a kind, by digest."""
        held = load_messages(self.bundle, network) if self.bundle else []
        return {one.digest: one for one, _ in of_kind(held, kind)}


HELD: Final = (Consent, Sublicense)  # what a holder may name
_NAMED: Final = (
    path_option("--licenses", "FILE|-", "A list of hashes, one on each line (- for standard input)."),
    path_option(
        "--bundle",
        "DIR",
        "Signed messages: a license bundle (sayso bundle pull), or a file or folder of them.",
    ),
    path_option("--manifest", "M", "The licenses of a manifest's rows, without --rejected."),
    path_option("--rejected", "WHY", "The rows that the check of M refused."),
    *COLUMN_OPTIONS,
)


def named_options(command: Command) -> Command:
    """Add the options that name licenses to a command, which receives them as `named`."""

    def gathered(options: dict[str, Any]) -> Named:
        columns = Columns(options.pop("license_column"), options.pop("item_column"))
        return Named(**taken(options, Named), columns=columns)

    return gathering(command, "named", gathered, _NAMED)
