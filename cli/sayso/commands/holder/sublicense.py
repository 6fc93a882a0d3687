"""`sayso sublicense`: pass on licenses that were given with `resale`."""

import time
from pathlib import Path

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
from sayso.holder.passing import LOOKUPS, check_parent, check_passing, consents_at
from sayso_protocol.limits import LIMITS
from sayso_protocol.messages.consent import Consent
from sayso_protocol.messages.message import as_kind
from sayso_protocol.messages.statements.sublicense import Sublicense


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
    the bundle or at the node, and says so if it did not. A contributor who revokes stops your customer,
    too. You can withdraw the sublicense (sayso withdraw).

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
    if stating.asked.url_if_any and 0 < len(rest) <= LOOKUPS:
        try:
            consents |= stating.asked.ask(lambda node: consents_at(node, rest))
        except NodeUnreachable as error:
            if not (stating.save or stating.is_foreign):
                raise
            warn(str(error))
    check_passing(consents, template.signer, template.purposes, now)
    if unknown := len(hashes) - len(consents):
        warn(f"not checked: whether you may pass on {several(unknown, 'license')} of {len(hashes):,}")
