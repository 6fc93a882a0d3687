"""`sayso sublicense`: only what the signer may pass on, as far as that can be known, is signed."""

import time
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account

from cli.holder.conftest import CUSTOMER, Company, many, only
from sayso.contributor.licensing import sign_message
from sayso.contributor.saved_messages import save_bundle
from sayso.holder.drafts import NOTHING, Draft
from sayso_protocol.limits import LIMITS
from sayso_protocol.messages.statements.sublicense import Sublicense
from sayso_protocol.primitives import (
    address_from_text,
    hex_text,
    keccak,
)
from support.protocol_strategies import BEN

TO = ("--to", CUSTOMER, "--purpose", "train-ai", "--until", "90d")


def test_licenses_of_a_bundle_are_passed_on(company: Company) -> None:
    held = company.licensed(3)
    result = company.world.run("sublicense", *TO, "--bundle", "licenses", *company.key)
    message, hashes = only(company)
    assert isinstance(message, Sublicense)
    assert hashes == tuple(sorted(one.digest for one in held))
    assert (message.grantee, message.purposes) == (address_from_text(CUSTOMER), ("train-ai",))
    assert not any(message.parent)
    assert "not checked" not in result.stderr
    assert f"{CUSTOMER} is your customer" in result.stderr
    assert message.notice in result.stderr


def test_the_node_is_asked_whether_they_may_be_passed_on(company: Company) -> None:
    (held,) = company.licensed(1)
    name = company.listed([held.digest])
    company.world.run("sublicense", *TO, "--licenses", name, *company.key)
    assert "license" in company.node.asked
    assert only(company)[1] == (held.digest,)


@pytest.mark.parametrize(
    ("granted", "why"),
    [
        ({"until": -1}, "has ended"),
        ({"purposes": "train-ai"}, "does not give resale"),
        ({"purposes": "evaluate resale"}, "does not give train-ai"),
        ({"grantee": bytes(20)}, "is given to anyone"),
        ({"grantee": b"\x05" * 20}, "not to the signer"),
    ],
)
@pytest.mark.parametrize("source", ["--bundle", "--licenses"])
def test_what_is_not_the_signers_to_pass_on_is_not_signed(
    company: Company, granted: dict[str, Any], why: str, source: str
) -> None:
    held = company.licensed(2, **granted)
    value = "licenses" if source == "--bundle" else company.listed([one.digest for one in held])
    result = company.world.fails("not-licensed", "sublicense", *TO, source, value, *company.key)
    assert why in result.stderr
    assert "(and 1 more)" in result.stderr
    assert not company.sent
    assert not list(Path().glob("sublicense-*"))


def test_what_was_not_checked_is_said(company: Company) -> None:
    (held,) = company.licensed(1)
    name = company.listed([held.digest, many(1)[0]])
    result = company.world.run("sublicense", *TO, "--licenses", name, *company.key)
    assert "not checked: whether you may pass on 1 license of 2" in result.stderr
    parent = ("--parent", hex_text(many(1)[0]))
    result = company.world.run("sublicense", *TO, *parent, "--licenses", name, *company.key)
    assert "not checked: whether the parent" in result.stderr


def test_more_licenses_than_a_node_is_asked_for_are_not_checked(company: Company) -> None:
    name = company.listed(many(1_025))
    result = company.world.run("sublicense", *TO, "--licenses", name, *company.key)
    assert "not checked: whether you may pass on 1,025 licenses of 1,025" in result.stderr
    assert "license" not in company.node.asked
    assert sorted(one.message.count for one in company.sent) == [1, 1_024]  # type: ignore[attr-defined]


def test_one_parent_does_not_name_more_licenses_than_a_message(company: Company) -> None:
    """Two messages under one parent were signed, and no node would ever count all of them."""
    name, parent = company.listed(many(1_025)), ("--parent", hex_text(many(1)[0]))
    ask = ("sublicense", *TO, *parent, "--licenses", name, *company.key)
    told = company.world.fails("not-licensed", *ask)
    assert "at most 1,024 licenses" in told.stderr
    assert not company.sent
    name = company.listed(many(1_024))
    company.world.run(*ask)
    assert [one.message.count for one in company.sent] == [1_024]  # type: ignore[attr-defined]


def test_a_parent_in_the_bundle_is_checked(company: Company) -> None:
    """The company holds two licenses by a sublicense of Ben, whose message lies beside the consents."""
    held = [one.digest for one in company.licensed(3, grantee=BEN)]
    ben, now = Account.from_key(keccak(b"ben")), int(time.time())
    ben_address = address_from_text(ben.address)
    company.world.new_key("ben")

    def passed_on(purpose: str, to: str, folder: str, until: int = now + 86_400) -> bytes:
        template = Sublicense(
            ben_address, bytes(32), 1, bytes(32), address_from_text(to), ("evaluate", purpose),
            bytes(32), "", until - 90_000, until,
        )  # fmt: skip
        ((message, hashes),) = Draft(template, tuple(sorted(held[:2]))).messages()
        envelope = sign_message(ben, message, company.node.network, hashes)
        (company.world.folder / folder).mkdir()
        save_bundle(company.world.folder / folder / "parent.sayso", [envelope])
        return envelope.digest

    mine = company.world.account.address
    name = company.listed(held[:2])
    ask = ("sublicense", "--to", CUSTOMER, "--until", "1d", "--licenses", name, *company.key)
    good = ("--parent", hex_text(passed_on("resale", mine, "good")), "--bundle", "good")
    result = company.world.run(*ask, "--purpose", "evaluate", *good)
    assert "not checked" not in result.stderr
    assert only(company)[1] == tuple(sorted(held[:2]))
    company.world.fails("not-licensed", *ask, "--purpose", "train-ai", *good)
    more = company.listed(held, "more.txt")
    company.world.fails("not-licensed", *ask, "--purpose", "evaluate", *good, "--licenses", more)
    for folder, purpose, to in (("final", "train-ai", mine), ("theirs", "resale", CUSTOMER)):
        parent = ("--parent", hex_text(passed_on(purpose, to, folder)), "--bundle", folder)
        company.world.fails("not-licensed", *ask, "--purpose", "evaluate", *parent)
    ended = ("--parent", hex_text(passed_on("resale", mine, "ended", now - 1)), "--bundle", "ended")
    result = company.world.fails("not-licensed", *ask, "--purpose", "evaluate", *ended)
    assert "has ended" in result.stderr
    assert len(company.sent) == 1


def test_no_sublicense_ends_an_earlier_one(company: Company) -> None:
    """Rule 8.15.2: the seventeenth of a license to one customer displaced one, and nobody said so."""
    held = company.licensed(2)
    now, options = int(time.time()), ("--bundle", "licenses", *company.key)
    for number in range(LIMITS.passed_by_signer):
        to, ends = address_from_text(CUSTOMER), now + 3_600 + number
        message = Sublicense(
            company.address, NOTHING, 1, NOTHING, to, ("train-ai",), NOTHING, "", now - 90, ends
        )
        for signed, hashes in Draft(message, (held[0].digest,)).messages():
            company.node.memory.add(
                sign_message(company.world.account, signed, company.node.network, hashes)
            )
    sent = len(company.sent)
    result = company.world.fails("displaced", "sublicense", *TO, *options)
    assert hex_text(held[0].digest) in result.stderr
    assert len(company.sent) == sent
    other = ("--to", "0x" + "42" * 20, "--purpose", "train-ai", "--until", "90d")
    company.world.run("sublicense", *other, *options)
    name = company.listed([held[1].digest])
    company.world.run("sublicense", *TO, "--licenses", name, *company.key)
