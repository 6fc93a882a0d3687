"""`sayso prove` and `sayso verify-proof`: what the contract says of one permission, provable offline."""

import asyncio
import json
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

import click

from sayso.commands.options import PATH, network_option, node_option, node_url_or_default
from sayso.commands.text import example, moment, say
from sayso.networks import load_network
from sayso.outputs import refuse_existing, write_file
from sayso.transport import Transport
from sayso.verifying import read_json
from sayso_protocol.chain_proofs import OnChain, check_chain_proof
from sayso_protocol.errors import Malformed
from sayso_protocol.primitives import hash_from_text, hex_text

REVOKED: Final = 3


@click.command(
    name="prove",
    epilog=example("sayso prove 0x4f5e...c1d2 0x27dd...90ab --purpose train-ai --out proof.json"),
)
@click.argument("license", type=hash_from_text)
@click.argument("item", type=hash_from_text)
@click.option("--purpose", required=True, help="What for, for example train-ai.")
@click.option("--out", type=PATH, metavar="PROOF", required=True, help="Where to keep the proof.")
@node_option
@network_option
def prove(
    license: bytes,  # noqa: A002 - the word of the help
    item: bytes,
    purpose: str,
    out: Path,
    node_url: str | None,
    network_path: Path,
) -> None:
    """Fetch the proof of what the registry says about ITEM of LICENSE, and check that it holds together.

    The proof shows every place where a revocation could stand, set or empty. Whoever has it needs the
    hash of the block from somewhere else, and trusts nobody: see `sayso verify-proof`.

    Exit status: 0 proved not to be revoked on chain; 3 proved to be revoked.
    """
    refuse_existing(out)
    trusted = load_network(network_path)
    path = f"/v1/licenses/{hex_text(license)}/proof?" + urlencode(
        {"item": hex_text(item), "purpose": purpose}
    )
    document = asyncio.run(_fetch(node_url_or_default(node_url, trusted), path))
    found = check_chain_proof(document, trusted.network, _named_block(document))
    write_file(out, json.dumps(document, indent=2).encode() + b"\n")
    _say(found, hex_text(_named_block(document)))


@click.command(
    name="verify-proof",
    epilog=example("sayso verify-proof proof.json --block-hash 0x9c1b...77e0"),
)
@click.argument("path", type=PATH, metavar="PROOF")
@click.option(
    "--block-hash",
    type=hash_from_text,
    required=True,
    help="Of the block, from your own node, a light client, or somebody you trust.",
)
@network_option
def verify(path: Path, block_hash: bytes, network_path: Path) -> None:
    """Check PROOF against the hash of a block, offline: no node, no chain, no trust.

    It does not show that the block is final, nor a revocation that only nodes know of.

    Exit status: 0 proved not to be revoked on chain; 3 proved to be revoked.
    """
    found = check_chain_proof(read_json(path), load_network(network_path).network, block_hash)
    _say(found, hex_text(block_hash))


async def _fetch(url: str, path: str) -> Any:
    async with Transport(url) as node:
        return (await node.get(path)).value


def _named_block(document: Any) -> bytes:
    """The block that the proof itself names: good for finding mistakes, not for trusting anybody."""
    try:
        return hash_from_text(document["block"]["hash"])
    except (KeyError, TypeError) as error:
        raise Malformed("the proof names no block") from error


def _say(found: OnChain, block_hash: str) -> None:
    say(f"block {found.number} of {moment(found.time)}, {block_hash}")
    if found.anchored_in:
        number, time = found.anchored_in
        say(f"the license existed before block {number} of {moment(time)}")
    if not found.revoked_by:
        say(f"not revoked on chain for {found.purpose}: every place is proved empty")
        return
    for scope in found.revoked_by:
        say(f"revoked on chain: {scope or 'the permission itself'}")
    raise click.exceptions.Exit(REVOKED)
