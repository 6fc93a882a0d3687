"""`sayso sublicense`: pass on licenses that were given with `resale`."""

import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TypeVar

import click

from sayso.commands.holder.named import Named, named_options
from sayso.commands.holder.options import Stating, stating_options
from sayso.commands.holder.stating import state
from sayso.commands.options import address_option, hash_option, path_option, text_option
from sayso.commands.text import example, several, warn, warn_of_purposes
from sayso.commands.types import expiry_option
from sayso.errors import NodeUnreachable, NotLicensed
from sayso.files import item_hash
from sayso.holder.drafts import NOTHING, Draft
from sayso.holder.hashes import sorted_once
from sayso.holder.passing import (
    LOOKUPS,
    check_parent,
    check_passing,
    check_room,
    consents_at,
    sublicenses_at,
)
from sayso.node_client.client import NodeClient
from sayso_protocol.limits import LIMITS
from sayso_protocol.messages.consent import Consent
from sayso_protocol.messages.envelope import Envelope
from sayso_protocol.messages.message import as_kind
from sayso_protocol.messages.statements.sublicense import Sublicense

T = TypeVar("T")


@click.command(
    name="sublicense",
    epilog=example(
        "sayso sublicense --to 0x52908400098527886E0F7030069857D2E4169EE7 --purpose train-ai \\",
        "  --until 1y --bundle licenses --key company.json",
        "sayso sublicense --to 0x5290...9EE7 --purpose train-ai --until 2027-06-30 \\",
        "  --licenses sold.txt --parent 0x4f5e...c1d2 --account 0x8617...d2B0 --endorse --save sold",
    ),
)
@address_option("--to", "ADDRESS", "Who is licensed: your customer.", name="grantee", required=True)
@text_option(
    "--purpose",
    "PURPOSE",
    "A purpose that the licenses give you. May be given several times; with resale, your customer "
    "may pass them on, too.",
    name="purposes",
    multiple=True,
    required=True,
)
@expiry_option(
    "--until",
    "1y|DATE",
    "The end: 90d, 1y or 2027-06-30; at most ten years from now.",
    name="expires_at",
    required=True,
)
@hash_option(
    "--parent",
    "DIGEST",
    "The sublicense by which you hold the licenses.  [default: the consents name you]",
)
@path_option("--terms", "FILE", "The license text; its hash is signed.")
@text_option("--terms-uri", "URL", "The web address of the license text.", default="")
@named_options
@stating_options
def command(
    *,
    named: Named,
    stating: Stating,
    grantee: bytes,
    purposes: tuple[str, ...],
    expires_at: int,
    parent: bytes | None,
    terms: Path | None,
    terms_uri: str,
) -> None:
    """Pass licenses on to a customer, for purposes that the licenses give you.

    The licenses must have the purpose resale. The command looks up whether their consents name you, in
    the bundle or at the node, and says so if it did not. It refuses a sublicense that would end one that
    your customer has: 16 of a license count, also after they were withdrawn. A contributor who revokes
    stops your customer, too. You can withdraw the sublicense (sayso withdraw).

    The command shows what becomes public before you sign: your customer, and by how many licenses.
    """
    warn_of_purposes(purposes)
    now, network = int(time.time()), stating.trusted.network
    template = Sublicense(
        signer=stating.address(),
        content=NOTHING,
        count=1,
        parent=parent or NOTHING,
        grantee=grantee,
        purposes=tuple(sorted(set(purposes))),
        terms=item_hash(terms) if terms else NOTHING,
        terms_uri=terms_uri,
        issued_at=now,
        expires_at=expires_at,
    )
    hashes = sorted_once(named.hashes(network, Consent))
    _check(template, hashes, named, stating, now)
    _check_room(template, hashes, named, stating)
    state(Draft(template, hashes, frozenset({"issued_at", "expires_at"})), stating)


def _check(
    template: Sublicense, hashes: tuple[bytes, ...], named: Named, stating: Stating, now: int
) -> None:
    """Look up whether the signer may pass the licenses on; raises NotLicensed."""
    network = stating.trusted.network
    if template.parent != NOTHING:
        if len(hashes) > LIMITS.hashes:
            most = f"a parent names at most {LIMITS.hashes:,} licenses"
            raise NotLicensed(f"{most}; pass on those of each parent with a command of its own")
        if parent := named.messages(network, Sublicense).get(template.parent):
            check_parent(parent, template, hashes, now)
        else:
            warn("not checked: whether the parent lets you pass these licenses on; nodes decide that")
        return
    held = named.messages(network, Consent)
    consents = {one: as_kind(held[one].message, Consent) for one in hashes if one in held}
    rest = [one for one in hashes if one not in consents]
    consents |= _asked(stating, rest, lambda node: consents_at(node, rest))
    check_passing(consents, template.signer, template.purposes, now)
    if unknown := len(hashes) - len(consents):
        warn(f"not checked: whether you may pass on {several(unknown, 'license')} of {len(hashes):,}")


def _check_room(template: Sublicense, hashes: tuple[bytes, ...], named: Named, stating: Stating) -> None:
    """Look up what was passed on to this customer before; raises Displaced."""
    network, to = stating.trusted.network, template.grantee
    before: dict[bytes, Envelope] = dict(named.messages(network, Sublicense))
    before |= _asked(stating, hashes, lambda node: sublicenses_at(node, hashes, to))
    running = Counter(
        name
        for envelope in before.values()
        for one in [as_kind(envelope.message, Sublicense)]
        if (one.signer, one.grantee) == (template.signer, to) and one.expires_at > template.issued_at
        for name in envelope.items
    )
    check_room({name: running[name] for name in hashes})


def _asked(
    stating: Stating, hashes: Sequence[bytes], ask: Callable[[NodeClient], Awaitable[dict[bytes, T]]]
) -> dict[bytes, T]:
    """Return what a node says of not too many licenses; nothing if it is away and need not be there."""
    if not (stating.asked.url_if_any and 0 < len(hashes) <= LOOKUPS):
        return {}
    try:
        return stating.asked.ask(ask)
    except NodeUnreachable as error:
        if not (stating.save or stating.is_foreign):
            raise
        warn(str(error))
        return {}
