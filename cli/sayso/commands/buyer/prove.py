"""`sayso prove` and `sayso verify-proof`: proofs of the registry's state, verifiable offline."""

import asyncio
import json
from collections.abc import Collection
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

import click

from sayso.commands.node import AskedNode, node_options
from sayso.commands.options import PATH, address_option, hash_option, network_option, path_option
from sayso.commands.text import example, moment, say
from sayso.explain.sentences import who
from sayso.gate.records.receipts import read_json
from sayso.networks import load_network
from sayso.node_client.transport import Transport
from sayso.outputs import refuse_existing, write_file
from sayso_protocol.errors import BadProof, Malformed
from sayso_protocol.ethereum.chain_proofs import OnChain, check_chain_proof
from sayso_protocol.ethereum.transaction_proofs import TRANSACTION_PROOF_TYPE as RECEIPT_PROOF
from sayso_protocol.ethereum.transaction_proofs import LandedRevocation, check_receipt_proof
from sayso_protocol.network import Network
from sayso_protocol.primitives import address_text, hash_from_text, hex_text

REVOKED: Final = 3


@click.command(
    name="prove",
    epilog=example("sayso prove 0x4f5e...c1d2 0x27dd...90ab --purpose train-ai --out proof.json"),
)
@click.argument("license", type=hash_from_text, required=False)
@click.argument("item", type=hash_from_text, required=False)
@click.option("--purpose", help="The purpose, for example train-ai.")
@address_option(
    "--grantee", "ADDRESS", "Who would use the item. Without it: the grantee of the consent."
)
@hash_option(
    "--revocation",
    "DIGEST",
    "Prove instead which transactions brought this revocation to the chain, and when.",
)
@path_option("--out", "PROOF", "Write the proof to this file.", required=True)
@node_options
def prove(
    license: bytes | None,  # noqa: A002 - the word of the help
    item: bytes | None,
    purpose: str | None,
    grantee: bytes | None,
    revocation: bytes | None,
    out: Path,
    asked: AskedNode,
) -> None:
    """Fetch the proof of what the registry stores about ITEM of LICENSE, and check its consistency.

    The proof covers every bit that could revoke the permission, set or not. To verify it, a reader needs
    the hash of the block from an independent source: see `sayso verify-proof`.

    With --revocation, the command takes neither LICENSE nor ITEM. The proof then contains the
    transactions that set the bits of that revocation, their senders and their blocks.

    Exit status: 0 the permission is proved not to be revoked on chain; 3 it is proved to be revoked.
    """
    refuse_existing(out)
    wanted = {"purpose": purpose} | ({"grantee": address_text(grantee)} if grantee else {})
    path = _path(license, item, wanted, revocation)
    document = asyncio.run(_fetch(asked.url, path))
    named = _named_blocks(document)
    found = _check(document, asked.trusted.network, named)
    _require_asked(found, license, item, wanted)
    write_file(out, json.dumps(document, indent=2).encode() + b"\n")
    _say(found, named)


@click.command(
    name="verify-proof",
    epilog=example("sayso verify-proof proof.json --block-hash 0x9c1b...77e0"),
)
@click.argument("path", type=PATH, metavar="PROOF")
@click.option(
    "--block-hash",
    "block_hashes",
    type=hash_from_text,
    required=True,
    multiple=True,
    help="The hash of the block, from your own node, a light client or a source you trust. Give it once"
    " for each block of the proof.",
)
@network_option
def verify(path: Path, block_hashes: tuple[bytes, ...], network_path: Path) -> None:
    """Verify PROOF offline against the hash of a block, without trust in any node.

    The proof does not show that the block is final, and it does not cover revocations that have not
    reached the chain.

    Exit status: 0 the permission is proved not to be revoked on chain; 3 it is proved to be revoked.
    """
    _say(_check(read_json(path), load_network(network_path).network, block_hashes), block_hashes)


def _path(
    license_hash: bytes | None,
    item: bytes | None,
    asked: dict[str, str | None],
    revocation: bytes | None,
) -> str:
    """Return the path of the request; raises a usage error for a wrong combination."""
    if revocation and not (license_hash or any(asked.values())):
        return f"/v1/revocations/{hex_text(revocation)}/receipt-proof"
    if revocation or not (license_hash and item and asked["purpose"]):
        raise click.UsageError("give LICENSE, ITEM and --purpose, or --revocation alone")
    query = urlencode({"item": hex_text(item), **asked})
    return f"/v1/licenses/{hex_text(license_hash)}/proof?{query}"


def _require_asked(
    found: OnChain | LandedRevocation,
    license_hash: bytes | None,
    item: bytes | None,
    asked: dict[str, str | None],
) -> None:
    """Raise BadProof if a node proved another permission than the one that was asked for."""
    if isinstance(found, OnChain):
        grantee = asked.get("grantee", address_text(found.grantee))
        wanted = (license_hash, item, asked["purpose"], grantee)
        if wanted != (found.license, found.item, found.purpose, address_text(found.grantee)):
            raise BadProof("the node proved another permission than the one that was asked for")


def _check(document: Any, network: Network, hashes: Collection[bytes]) -> OnChain | LandedRevocation:
    if isinstance(document, dict) and document.get("type") == RECEIPT_PROOF:
        return check_receipt_proof(document, network, hashes)
    if len(hashes) != 1:
        raise click.UsageError("this proof is about one block; give one --block-hash")
    return check_chain_proof(document, network, *hashes)


async def _fetch(url: str, path: str) -> Any:
    async with Transport(url) as node:
        return await node.get(path, dict[str, Any])


def _named_blocks(document: Any) -> tuple[bytes, ...]:
    """Return the block hashes that the proof names; they detect mistakes, but prove nothing."""
    try:
        blocks = [one["block"] for one in document.get("landings", [document])]
        return tuple({hash_from_text(block["hash"]): None for block in blocks})
    except (KeyError, TypeError, AttributeError) as error:
        raise Malformed("the proof names no block") from error


def _say(found: OnChain | LandedRevocation, hashes: Collection[bytes]) -> None:
    if isinstance(found, LandedRevocation):
        _say_landed(found)
    else:
        _say_places(found, *hashes)


def _say_landed(found: LandedRevocation) -> None:
    say(f"revocation {hex_text(found.digest)} of {address_text(found.contributor)}")
    for one in found.landings:
        say(f"block {one.number} of {moment(one.time)}: transaction {hex_text(one.tx_hash)}")
        sender = "the contributor" if one.sender == found.contributor else address_text(one.sender)
        words = "1 word" if len(one.bits) == 1 else f"{len(one.bits)} words"
        how = (
            "sent by"
            if one.is_signed
            else "carried out by the chain, without a signature, in the name of"
        )
        say(f"  {how} {sender}, set bits in {words}")
    say("revoked on chain: every bit of the revocation is set")
    raise click.exceptions.Exit(REVOKED)


def _say_places(found: OnChain, block_hash: bytes) -> None:
    say(f"block {found.number} of {moment(found.time)}, {hex_text(block_hash)}")
    if found.anchored_in:
        number, time = found.anchored_in
        say(f"the license was anchored in block {number} of {moment(time)}")
    if not found.revoked_by:
        asked = f"for {found.purpose} by {who(found.grantee)}"
        say(f"not revoked on chain {asked}: no bit that could revoke it is set")
        return
    for scope in found.revoked_by:
        say(f"revoked on chain: {scope or 'the permission itself'}")
    raise click.exceptions.Exit(REVOKED)
