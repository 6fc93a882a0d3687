"""`sayso licenses`: the licenses of a wallet that a node knows."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from sayso.commands.node import AskedNode, node_options
from sayso.commands.options import json_option, path_option, text_option
from sayso.commands.text import example, say, say_json, several
from sayso.node_client.answers import HeldLicense, WalletWord
from sayso_protocol.primitives import address_from_text, address_text, hex_text


@click.command(name="licenses", epilog=example("sayso licenses --key me.json"))
@click.argument("address", type=address_from_text, required=False)
@path_option("--key", "FILE", "List the licenses of this key file.", name="key_path")
@text_option("--signer", "URL", "List the licenses of this signer's only account.", name="signer_url")
@node_options
@text_option(
    "--rpc",
    "URL",
    "JSON-RPC endpoint of the chain, to ask contract wallets instead of believing the node.",
    name="rpc_url",
)
@json_option
def command(
    address: bytes | None,
    key_path: Path | None,
    signer_url: str | None,
    asked: AskedNode,
    rpc_url: str | None,
    *,
    as_json: bool,
) -> None:
    """List the licenses of a wallet: what they allow, and how much of it is revoked.

    The command verifies each signature. If the wallet is a contract, the node signs that it holds the
    license, or --rpc asks the wallet itself. A node can only list licenses that reached it.
    """
    if sum(one is not None for one in (address, key_path, signer_url)) != 1:
        raise click.UsageError("give exactly one of ADDRESS, --key FILE and --signer URL")
    contributor = address if address is not None else _address(key_path, signer_url)
    held = asked.ask(lambda node: node.licenses_of(contributor), rpc_url=rpc_url)
    if as_json:
        say_json([license_json(one) for one in held])
        return
    for one in held:
        say(*license_lines(one))
    say(f"{several(len(held), 'license')} of {address_text(contributor)}")


def _address(key_path: Path | None, signer_url: str | None) -> bytes:
    from sayso.commands.signing import Signing  # noqa: PLC0415 - eth-account takes a second

    return Signing(key_path, None, signer_url, None).address()


def license_lines(held: HeldLicense) -> Iterator[str]:
    """Yield the lines about a license, for people."""
    yield f"license {hex_text(held.hash)}"
    yield f"  {held.license.consent.notice}"
    yield f"  {_license_state(held)}"
    if held.word:
        yield f"  {wallet_state(held.word)}"


def _license_state(held: HeldLicense) -> str:
    """Describe in one line how much of a license is revoked, and where it is anchored."""
    anchor = f"; anchored in block {held.anchored_in}" if held.anchored_in else "; not anchored yet"
    if not held.revoked:
        return f"none of {several(held.permissions, 'permission')} revoked{anchor}"
    return f"{held.revoked:,} of {several(held.permissions, 'permission')} revoked{anchor}"


def wallet_state(word: WalletWord) -> str:
    """Describe in one line whether a contract wallet accepts its signature, and who says so."""
    at = f"{word.by}, at block {word.block:,}"
    if word.accepted is None:
        return f"signed by a contract wallet: not sure now; it refuses, or was not asked in time ({at})"
    if not word.accepted:
        return f"signed by a contract wallet: REFUSED; {word.why} ({at})"
    return f"signed by a contract wallet: accepted ({at})"


def license_json(held: HeldLicense) -> dict[str, Any]:
    """Return a license as a JSON object."""
    consent = held.license.consent
    return {
        "license": hex_text(held.hash),
        "notice": consent.notice,
        "contributor": address_text(consent.contributor),
        "grantee": address_text(consent.grantee),
        "via": consent.via,
        "purposes": list(consent.purposes),
        "items": [hex_text(item) for item in held.license.items],
        "issued_at": consent.issued_at,
        "expires_at": consent.expires_at,
        "recheck_hours": consent.recheck_hours,
        "removal_days": consent.removal_days,
        "permissions": held.permissions,
        "revoked_permissions": held.revoked,
        "wallet": held.word
        and {"accepted": held.word.accepted, "by": held.word.by, "block_number": held.word.block},
        "anchor_block": held.anchored_in,
    }
