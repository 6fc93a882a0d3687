"""Whether consents let the signer pass them on, as far as their text is at hand.

A node keeps a sublicense without this only as pending, and no row is ever clear by it, so the command
refuses before anything is signed. Nodes alone judge whether the whole chain of parents holds.
"""

from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from typing import Final

from sayso.contributor.planning import LicenseSource
from sayso.errors import Displaced, NotHeld, NotLicensed
from sayso.gate.fetching import Fetcher
from sayso.node_client.client import NodeClient
from sayso_protocol.limits import LIMITS
from sayso_protocol.messages.consent import Consent
from sayso_protocol.messages.envelope import Envelope
from sayso_protocol.messages.message import as_kind
from sayso_protocol.messages.statements.sublicense import Sublicense
from sayso_protocol.primitives import ANYONE, address_text, hex_text
from sayso_protocol.verdicts.covering import RESALE

LOOKUPS: Final = 1_024  # licenses that a node is asked for


async def consents_at(licenses: LicenseSource, hashes: Iterable[bytes]) -> dict[bytes, Consent]:
    """Return the consents that a node holds, by license hash."""
    found = {}
    for one in hashes:
        with suppress(NotHeld):
            found[one] = (await licenses.license(one)).license.consent
    return found


async def sublicenses_at(
    node: NodeClient, hashes: Iterable[bytes], grantee: bytes
) -> dict[bytes, Envelope]:
    """Return the sublicenses by which licenses reached a grantee, as a node says, by digest."""
    fetcher = Fetcher(node, grantee=grantee)
    await fetcher.fetch_chains(hashes)
    return fetcher.sublicenses


def check_room(running: Mapping[bytes, int]) -> None:
    """Raise Displaced if no more sublicenses of a license by one signer to one grantee count (8.15.2).

    Args:
        running: How many of each license still run, whether or not they were withdrawn.
    """
    if full := sorted(name for name, many in running.items() if many >= LIMITS.passed_by_signer):
        more = f" (and {len(full) - 1:,} more)" if len(full) > 1 else ""
        raise Displaced(
            f"{LIMITS.passed_by_signer} sublicenses of {hex_text(full[0])}{more} to this buyer run,"
            " and one more would end one of them for good; withdrawing makes no room. Use one that the "
            "buyer has, or wait for the end of one"
        )


def check_passing(
    consents: Mapping[bytes, Consent], signer: bytes, purposes: Collection[str], now: float
) -> None:
    """Raise NotLicensed unless each consent licenses the signer, for these purposes and for resale."""
    wrong = {
        name: why for name, one in consents.items() if (why := _why_not(one, signer, purposes, now))
    }
    if wrong:
        name, why = next(iter(wrong.items()))
        more = f" (and {len(wrong) - 1:,} more)" if len(wrong) > 1 else ""
        raise NotLicensed(f"license {hex_text(name)}{more}: {why}")


def check_parent(parent: Envelope, child: Sublicense, hashes: Collection[bytes], now: float) -> None:
    """Raise NotLicensed unless a sublicense passed these licenses on to the signer of `child`."""
    one = as_kind(parent.message, Sublicense)
    why = ""
    if one.grantee != child.signer:
        why = f"it is given to {address_text(one.grantee)}, not to the signer"
    elif missing := sorted({RESALE, *child.purposes} - {*one.purposes}):
        why = f"it does not give {', '.join(missing)}"
    elif foreign := {*hashes} - {*parent.items}:
        why = f"it does not name {len(foreign):,} of these licenses"
    elif one.expires_at <= now:
        why = "it has ended"
    if why:
        raise NotLicensed(f"sublicense {hex_text(parent.digest)}: {why}")


def _why_not(consent: Consent, signer: bytes, purposes: Collection[str], now: float) -> str:
    if consent.grantee != signer:
        to = "anyone" if consent.grantee == ANYONE else address_text(consent.grantee)
        return f"it is given to {to}, not to the signer; name how you have it with --parent DIGEST"
    if missing := sorted({RESALE, *purposes} - {*consent.purposes}):
        return f"it does not give {', '.join(missing)}"
    return "it has ended" if consent.expires_at <= now else ""
