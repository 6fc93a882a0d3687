"""Kled AI: files, and a long chain of resale.

A person licenses forty clips to the marketplace. It passes them on to Lab X, and X to Lab Y. The person
takes some back, then the right to resell; the marketplace disputes what a fraudulent uploader licensed.
"""

import time
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from eth_account.signers.local import LocalAccount

from sayso.contributor.keystore import new_account
from sayso.contributor.licensing import Terms, grant
from sayso.contributor.revoking import license_masks, license_scopes, revoke_masks, revoke_scopes
from sayso.demo.opening import OPENING
from sayso.demo.scenarios.acting import DAY_S, clips, licensed, own_address, standings
from sayso.demo.stage import Later, Stage, Step
from sayso.errors import DemoFailed
from sayso.holder.drafts import NOTHING
from sayso_protocol.messages.envelope import Envelope
from sayso_protocol.messages.statements.dispute import CONTRIBUTORS, Dispute, contributor_hash
from sayso_protocol.messages.statements.removal import Removal
from sayso_protocol.messages.statements.sublicense import NO_PARENT, Sublicense
from sayso_protocol.messages.statements.use import Use
from sayso_protocol.network_file import Named
from sayso_protocol.primitives import address_text
from sayso_protocol.verdicts.query import Query
from sayso_protocol.verdicts.verdict import Reason, Row

_MARKETPLACE: Final = "kled.ai"
_CLIPS: Final = 40
_TAKEN: Final = 3
_FRAUD: Final = 500
_RESALE, _TRAINING, _CLONING = "resale", "train-generative-ai", "likeness-synthesis"
_REMOVAL_DAYS: Final = 7
_RUN: Final = "lab-x-run-1"


@dataclass
class Kled(Stage):
    """Kled is the stage of this scenario: a person, the marketplace, two labs and an uploader."""

    person: LocalAccount = field(default_factory=new_account)
    shop: LocalAccount = field(default_factory=new_account)
    lab_x: LocalAccount = field(default_factory=new_account)
    lab_y: LocalAccount = field(default_factory=new_account)
    uploader: LocalAccount = field(default_factory=new_account)
    cohort: list[Row] = field(default_factory=list)
    consent = Later[Envelope]("nothing is licensed yet")

    @property
    def heeded(self) -> tuple[Named, ...]:
        """See Stage: the marketplace's disputes count."""
        return (Named(own_address(self.shop), "Kled", _MARKETPLACE),)

    @property
    def companies(self) -> dict[bytes, str]:
        """See Stage."""
        return {
            own_address(self.shop): _MARKETPLACE,
            own_address(self.lab_x): "Lab X",
            own_address(self.lab_y): "Lab Y",
        }

    @property
    def rows(self) -> list[Row]:
        """Return a row for each clip."""
        return [Row(self.consent.digest, item) for item in self.consent.items]

    async def clear(self, node: str, account: LocalAccount, purpose: str) -> set[int]:
        """Return the positions of the clips that a node clears for an account."""
        reasons = await self.reasons(node, Query(own_address(account), purpose), self.rows)
        return {at for at, reason in enumerate(reasons) if reason is Reason.GRANTED}

    async def answers(self, node: str, account: LocalAccount, purpose: str, clear: set[int]) -> bool:
        """Return whether a node clears exactly these clips."""
        return await self.clear(node, account, purpose) == clear


_EVERY: Final = set(range(_CLIPS))


async def license_clips(stage: Kled) -> str:
    """The person licenses forty clips to the marketplace, with `resale`."""
    now = int(time.time())
    terms = Terms(
        own_address(stage.shop),
        (_RESALE, _TRAINING, _CLONING),
        now + 3 * 365 * DAY_S,
        _MARKETPLACE,
        removal_days=_REMOVAL_DAYS,
    )
    files = clips(stage.folder / "walk", _CLIPS)
    (stage.consent,) = grant(stage.person, stage.trusted.network, files, terms, now).envelopes
    await stage.submit("A", [stage.consent])
    await stage.until(
        "C clears every clip for the marketplace",
        partial(stage.answers, "C", stage.shop, _TRAINING, _EVERY),
    )
    return f"one signature licenses {_CLIPS} clips of a walk to {_MARKETPLACE}, with `{_RESALE}`"


async def pass_on(stage: Kled) -> str:
    """The marketplace passes the license on to Lab X, and X to Lab Y."""
    now, license_hash = int(time.time()), stage.consent.digest
    end = now + 365 * DAY_S

    def offer(seller: LocalAccount, buyer: LocalAccount, parent: bytes, *purposes: str) -> Sublicense:
        who, whom = own_address(seller), own_address(buyer)
        return Sublicense(who, NOTHING, 1, parent, whom, purposes, NOTHING, "", now, end)

    first = offer(stage.shop, stage.lab_x, NO_PARENT, _CLONING, _RESALE, _TRAINING)
    (to_x,) = await stage.state("A", stage.shop, first, [license_hash])
    second = offer(stage.lab_x, stage.lab_y, to_x.digest, _CLONING, _TRAINING)
    await stage.state("B", stage.lab_x, second, [license_hash])
    for lab, node in ((stage.lab_x, "B"), (stage.lab_y, "C")):
        await stage.until(
            "both labs have every clip cleared", partial(stage.answers, node, lab, _TRAINING, _EVERY)
        )
    return f"{_MARKETPLACE} passes on to Lab X, and X to Lab Y; both have all {_CLIPS} clips cleared"


async def train(stage: Kled) -> str:
    """Lab X checks, trains, and declares the use."""
    if not await stage.answers("B", stage.lab_x, _TRAINING, _EVERY):
        raise DemoFailed("the check of Lab X does not clear every clip")
    use = Use(own_address(stage.lab_x), NOTHING, 1, _TRAINING, _RUN, NOTHING, int(time.time()))
    await stage.state("B", stage.lab_x, use, [stage.consent.digest])
    return f"Lab X checked, trains, and declares the use in {_RUN}"


async def take_three_back(stage: Kled) -> str:
    """The person takes three clips back, and the likeness from all of them."""
    held = licensed(stage.consent)
    contributor = own_address(stage.person)
    masks = license_masks(held, stage.consent.items[:_TAKEN])
    begun = time.monotonic()
    await stage.hand_in(
        "A",
        stage.person,
        *revoke_masks(contributor, masks),
        *revoke_scopes(contributor, license_scopes(held, [_CLONING])),
    )
    left = _EVERY - set(range(_TAKEN))
    for node, lab in (("B", stage.lab_x), ("C", stage.lab_y)):
        for purpose, clear in ((_TRAINING, left), (_CLONING, set[int]())):
            await stage.until(
                f"{node} refuses exactly what was taken back",
                partial(stage.answers, node, lab, purpose, clear),
            )
        stage.took(begun)
    return (
        f"{_TAKEN} clips and `{_CLONING}` are taken back: the next checks of both labs refuse exactly"
        f" those, and clear {len(left)} clips for training"
    )


async def take_resale_back(stage: Kled) -> str:
    """The person takes `resale` back: everybody downstream stops, the marketplace itself does not."""
    scopes = license_scopes(licensed(stage.consent), [_RESALE])
    begun = time.monotonic()
    await stage.hand_in("A", stage.person, *revoke_scopes(own_address(stage.person), scopes))
    for node, lab in (("B", stage.lab_x), ("A", stage.lab_y)):
        await stage.until(
            "nothing is clear downstream", partial(stage.answers, node, lab, _TRAINING, set[int]())
        )
        stage.took(begun)
    if await stage.clear("A", stage.shop, _TRAINING) != _EVERY - set(range(_TAKEN)):
        raise DemoFailed("the marketplace's own license has changed, too")
    return (
        f"`{_RESALE}` is taken back: nothing is clear for X or Y any more; {_MARKETPLACE} keeps its own"
    )


async def confirm_removal(stage: Kled) -> str:
    """The marketplace and Lab X confirm once the chain has the revocation; Lab Y does not."""
    confirming = (stage.shop, stage.lab_x)
    due = {own_address(one): {"due"} for one in (*confirming, stage.lab_y)}
    found = await stage.until(
        "the nodes date the revocations", partial(standings, stage, stage.consent.digest, due)
    )
    assert found.final  # noqa: S101 - what is due is dated by it
    for account in confirming:
        gone = Removal(own_address(account), NOTHING, 1, found.final.number, NOTHING)
        await stage.state("A", account, gone, [stage.consent.digest])
    confirmed = {own_address(one): {"confirmed"} for one in confirming}
    await stage.until(
        "both are confirmed", partial(standings, stage, stage.consent.digest, due | confirmed)
    )
    return (
        f"the trace shows that {_MARKETPLACE} and Lab X confirmed their removal;"
        f" that of Lab Y is due in {_REMOVAL_DAYS} days"
    )


async def dispute_cohort(stage: Kled) -> str:
    """The marketplace disputes what a fraudulent uploader licensed, with one signature."""
    now, network = int(time.time()), stage.trusted.network
    terms = Terms(own_address(stage.shop), (_TRAINING,), now + 365 * DAY_S, _MARKETPLACE)
    files = clips(stage.folder / "forged", _FRAUD)
    forged = [grant(stage.uploader, network, [one], terms, now).envelopes[0] for one in files]
    await stage.submit("A", forged)
    rows = [Row(one.digest, one.items[0]) for one in forged]
    shop = own_address(stage.shop)
    heeding, others = Query(shop, _TRAINING), Query(shop, _TRAINING, ())

    async def all_are(query: Query, reason: Reason) -> bool:
        return set(await stage.reasons("C", query, rows)) == {reason}

    await stage.until("C clears the cohort", partial(all_are, heeding, Reason.GRANTED))
    dispute = Dispute(shop, NOTHING, 1, CONTRIBUTORS, "impersonation", now, now + 90 * DAY_S)
    begun = time.monotonic()
    await stage.state("A", stage.shop, dispute, [contributor_hash(own_address(stage.uploader))])
    await stage.until("who heeds refuses the cohort", partial(all_are, heeding, Reason.DISPUTED))
    took = time.monotonic() - begun
    if not await all_are(others, Reason.GRANTED):
        raise DemoFailed("who does not heed the marketplace is refused, too")
    async with stage.nodes["C"].client(stage.trusted) as client:
        seen = (await client.trace(forged[0].digest)).disputes
    if [one.signer for one in seen] != [address_text(shop)]:
        raise DemoFailed("who does not heed the marketplace cannot see the dispute")
    return (
        f"one dispute of {_MARKETPLACE} stops {_FRAUD} consents of one uploader for whoever heeds it,"
        f" after {took:.2f} s; who does not heed it sees it, and decides alone"
    )


async def wait_too_long(stage: Kled) -> str:
    """The chain's time moves past the deadline: Lab Y is late."""
    days = _REMOVAL_DAYS + 1
    await stage.chain.pass_time(days * DAY_S)
    late = {own_address(stage.lab_x): {"confirmed"}, own_address(stage.lab_y): {"late"}}
    await stage.until(
        "every node shows who is late", partial(standings, stage, stage.consent.digest, late)
    )
    return f"the chain's time moves on by {days} days: Lab Y is late, at every node"


KLED_STEPS: tuple[Step[Kled], ...] = (
    *OPENING,
    Step("consent", "A person licenses forty clips", ("nodes",), license_clips),
    Step("sale", "The license is sold on, twice", ("consent",), pass_on),
    Step("use", "A lab trains", ("sale",), train),
    Step("clips", "Three clips and the likeness are taken back", ("sale",), take_three_back),
    Step("resale", "The right to resell is taken back", ("clips",), take_resale_back),
    Step("removal", "Two of three confirm their removal", ("resale",), confirm_removal),
    Step("dispute", "A fraudulent uploader is disputed", ("nodes",), dispute_cohort),
    Step("late", "The other lab is late", ("removal",), wait_too_long),
)
