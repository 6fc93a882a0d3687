"""The demo's steps about a license that is passed on: sold on, taken back, and removed by one of two."""

import time
from functools import partial
from typing import Final

from eth_account.signers.local import LocalAccount

from sayso.contributor.licensing import Terms, grant
from sayso.contributor.revoking import revoke_scopes
from sayso.demo.tour.people import DAY_S, TRAINING, written
from sayso.demo.tour.stage import Tour
from sayso.files import hash_files
from sayso.holder.drafts import NOTHING
from sayso_node.api.schema.traces import HolderJson, TraceJson
from sayso_protocol.messages.consent import Consent
from sayso_protocol.messages.message import as_kind
from sayso_protocol.messages.statements.removal import Removal
from sayso_protocol.messages.statements.sublicense import NO_PARENT, Sublicense
from sayso_protocol.messages.statements.use import Use
from sayso_protocol.permissions.scopes import Scope, agreement_subject
from sayso_protocol.primitives import address_from_text
from sayso_protocol.verdicts.query import Query
from sayso_protocol.verdicts.verdict import Reason

MARKETPLACE: Final = "kled.ai"
RUN: Final = "lab-run-1"
SONG: Final = {"song/verse.txt": "A verse, sung in the kitchen.\n"}


async def sell_on(stage: Tour) -> str:
    """Sell a file to a marketplace, which passes it on to a lab; the lab checks and uses it."""
    sale, now = stage.sale, int(time.time())
    market, lab = (address_from_text(one.address) for one in (sale.market, sale.lab))
    files = list(hash_files(written(stage.folder / "people", SONG)))
    terms = Terms(market, ("resale", TRAINING), now + 365 * DAY_S, MARKETPLACE)
    network = stage.trusted.network
    (sale.consent,) = grant(stage.people.contributor, network, files, terms, now).envelopes
    half = now + 180 * DAY_S
    offer = Sublicense(market, NOTHING, 1, NO_PARENT, lab, (TRAINING,), NOTHING, "", now, half)
    await stage.submit("A", [sale.consent])
    (passed,) = await stage.state("A", sale.market, offer, [sale.consent.digest])
    await stage.until("C clears the row for the lab", partial(_answers, stage, sale.lab, Reason.GRANTED))
    use = Use(lab, NOTHING, 1, TRAINING, RUN, NOTHING, now)
    await stage.state("B", sale.lab, use, [sale.consent.digest])
    return (
        f"a consent with `resale` lets {MARKETPLACE} pass one file on; node A received sublicense"
        f" 0x{passed.digest[:4].hex()}…; C clears the file for the lab, which states its use in {RUN}"
    )


async def take_back(stage: Tour) -> str:
    """Take the whole license back with one signature: marketplace and lab are both refused."""
    sale = stage.sale
    consent = as_kind(sale.consent.message, Consent)
    scopes = [Scope(agreement_subject(consent.agreement))]
    begun = time.monotonic()
    await stage.hand_in("A", stage.people.contributor, *revoke_scopes(consent.contributor, scopes))
    for account in (sale.market, sale.lab):
        await stage.until("C refuses both", partial(_answers, stage, account, Reason.REVOKED))
    return (
        "`agreement 0x…`, one signature: C refuses the marketplace and the lab,"
        f" {(time.monotonic() - begun) * 1000:.0f} ms after it"
    )


async def show_trace(stage: Tour) -> str:
    """Wait for the revocation's block; the lab confirms its removal, and the marketplace does not."""
    sale = stage.sale
    lab = address_from_text(sale.lab.address)
    found = await stage.until("the nodes date the revocation", partial(_traced, stage, "due", "due"))
    assert found.final  # noqa: S101 - what is due is dated by it
    gone = Removal(lab, NOTHING, 1, found.final.number, NOTHING)
    await stage.state("A", sale.lab, gone, [sale.consent.digest])
    found = await stage.until("all see it confirmed", partial(_traced, stage, "due", "confirmed"))
    holders = {one.address: one for one in found.holders}
    due = holders[sale.market.address].duties[0].due
    days = f"{time.strftime('%Y-%m-%d', time.gmtime(due))}" if due else "?"
    return (
        f"`sayso trace` shows both holders at every node: the lab used it in {RUN} and confirmed its"
        f" removal; that of {MARKETPLACE} is due by {days}"
    )


async def _answers(stage: Tour, account: LocalAccount, reason: Reason) -> bool:
    query = Query(address_from_text(account.address), TRAINING)
    return await stage.reasons("C", query, [stage.sale.row]) == (reason,)


async def _traced(stage: Tour, market: str, lab: str) -> TraceJson | None:
    """Return the trace once all nodes say the same, both holders stand so, and the use is there."""
    sale = stage.sale
    found = await stage.trace(sale.consent.digest)
    if found is None:
        return None
    holders = {one.address: one for one in found.holders}
    if holders.keys() != {sale.market.address, sale.lab.address}:
        return None
    stands = [_standing(holders[one.address]) for one in (sale.market, sale.lab)]
    used = [one.run for one in holders[sale.lab.address].uses]
    return found if (stands, used) == ([market, lab], [RUN]) else None


def _standing(holder: HolderJson) -> str | None:
    return holder.duties[0].standing if len(holder.duties) == 1 else None
