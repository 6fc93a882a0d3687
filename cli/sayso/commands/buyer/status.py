"""`sayso status`: the state of one license, or the verdict for one item before a single use."""

import json
from pathlib import Path
from typing import Final

import click

from sayso.commands.contributor.licenses import license_json, license_lines
from sayso.commands.node import AskedNode, node_options
from sayso.commands.options import heed_option, json_option, path_option
from sayso.commands.text import example, moment, say, say_json, warn_of_purposes
from sayso.commands.types import grantee_option, max_age_option
from sayso.node_client.answers import HeldLicense
from sayso.node_client.status import StatusQuestion, VerifiedStatus
from sayso.outputs import refuse_existing, write_file
from sayso_protocol.primitives import hash_from_text
from sayso_protocol.receipts.status import status_to_json
from sayso_protocol.verdicts.query import Query
from sayso_protocol.verdicts.verdict import Reason, Row

EXIT_NOT_CLEAR: Final = 3


@click.command(
    name="status",
    epilog=example(
        "sayso status 0x4f5e...c1d2",
        "sayso status 0x4f5e...c1d2 0x27dd...90ab --grantee anyone --purpose train-ai",
    ),
)
@click.argument("license", type=hash_from_text)
@click.argument("item", type=hash_from_text, required=False)
@grantee_option("--grantee", "ADDRESS|anyone", "Who wants to use the item.")
@click.option("--purpose", help="The purpose, for example train-ai.")
@max_age_option
@heed_option
@path_option("--out", "ANSWER", "Write the signed answer to this file.")
@node_options
@json_option
def command(
    license: bytes,  # noqa: A002 - the word of the help
    item: bytes | None,
    grantee: bytes | None,
    purpose: str | None,
    max_age_s: int,
    heed: tuple[bytes, ...] | None,
    out: Path | None,
    asked: AskedNode,
    *,
    as_json: bool,
) -> None:
    """Show what LICENSE allows and how much of it is revoked, or whether ITEM may be used now.

    Without ITEM, the command verifies the consent's signature, and the node states what is revoked. With
    ITEM, --grantee and --purpose, a node of the network file signs the answer to exactly this question.

    Exit status: 0 shown, or ITEM is clear; 3 ITEM is not clear.
    """
    if item is None:
        if grantee is not None or purpose is not None or out:
            raise click.UsageError("--grantee, --purpose and --out need an ITEM")
        _show_license(asked.ask(lambda node: node.license(license)), as_json=as_json)
        return
    if grantee is None or purpose is None:
        raise click.UsageError("an ITEM needs --grantee and --purpose")
    refuse_existing(out)
    warn_of_purposes([purpose])
    question = StatusQuestion(Row(license, item), Query(grantee, purpose, heed), max_age_s)
    found = asked.ask(lambda node: node.status(question))
    if out:
        write_file(out, json.dumps(status_to_json(found.answer), indent=2).encode() + b"\n")
    _show_answer(found, as_json=as_json)
    if found.reason is not Reason.GRANTED:
        raise click.exceptions.Exit(EXIT_NOT_CLEAR)


def _show_license(held: HeldLicense, *, as_json: bool) -> None:
    if as_json:
        say_json(license_json(held))
    else:
        say(*license_lines(held))


def _show_answer(found: VerifiedStatus, *, as_json: bool) -> None:
    if as_json:
        say_json(status_to_json(found.answer) | {"operator": found.operator.name})
        return
    head = found.answer.head.statement
    say(found.reason.value)
    block = head.block.number
    say(f"signed by {found.operator.name} on {moment(head.time)}, chain read up to block {block}")
