"""The scenario neon compares two calls: it finds every kind of link, wherever a node shows it."""

import base64
from pathlib import Path
from typing import Any

import pytest
from eth_account.signers.local import LocalAccount
from rich.console import Console

from sayso.contributor.derived_keys import Branch, derived_account
from sayso.demo.plays import PLAYS
from sayso.demo.runner import run_demo
from sayso.demo.scenarios import neon
from sayso.demo.scenarios.neon import Call, Neon, Person, recorded
from sayso.demo.scenarios.revealed import Revealed
from sayso.demo.stage import Options
from sayso.demo.story import Story
from sayso_protocol.messages.consent import Consent
from sayso_protocol.messages.envelope import encode
from sayso_protocol.messages.message import as_kind
from sayso_protocol.messages.typed_data import typed_data
from sayso_protocol.permissions.scopes import agreement_subject, scope_word
from sayso_protocol.primitives import address_text
from support.fake_node import NETWORK


class Forgetful(Person):
    """A person whose guardian has one key for all calls."""

    def guardian_key(self, call: int) -> LocalAccount:
        return derived_account(self.guardian, 0, Branch.GUARDIAN)


class Careless(Person):
    """A person who signs all calls with one key."""

    def key(self, call: int) -> LocalAccount:
        return super().key(0)


def a_stage(called: Person) -> Neon:
    return Neon(Path(), Options(Path()), called=called)


def common(stage: Neon, calls: list[Call], show: Any) -> set[bytes]:
    """What two calls share by what a node answers of each, without the marketplace."""
    seen = []
    for call in calls:
        found = Revealed()
        for one in call.both:
            found.read(show(one))
        seen.append(found.names)
    return (seen[0] & seen[1]) - {*stage.companies, NETWORK.registry, bytes(32)}


def as_envelope(one: Any) -> Any:
    return {"envelope": base64.b64encode(encode(one)).decode()}


def as_json(one: Any) -> Any:
    return {"consent": typed_data(one.message, NETWORK)["message"]}


def as_event(one: Any) -> Any:
    """The bits of a revocation, as `/v1/events` and `revoked` have them."""
    consent = as_kind(one.message, Consent)
    who = consent.guardian
    word = scope_word(f"{agreement_subject(consent.agreement)} ward {address_text(consent.contributor)}")
    return {"contributor": address_text(who), "word": str(word), "mask": "1", "digest": None}


@pytest.mark.parametrize("show", [as_envelope, as_json, as_event])
def test_two_calls_of_honest_tools_share_nothing(show: Any) -> None:
    stage = a_stage(Person())
    assert not common(stage, [recorded(stage, NETWORK, number) for number in range(2)], show)


@pytest.mark.parametrize("show", [as_envelope, as_json, as_event])
def test_a_guardian_of_two_calls_is_found(show: Any) -> None:
    stage = a_stage(Forgetful())
    shared = common(stage, [recorded(stage, NETWORK, number) for number in range(2)], show)
    assert shared == {bytes.fromhex(stage.called.guardian_key(0).address[2:])}


@pytest.mark.parametrize("show", [as_envelope, as_json])
def test_a_key_of_two_calls_is_found(show: Any) -> None:
    stage = a_stage(Careless())
    shared = common(stage, [recorded(stage, NETWORK, number) for number in range(2)], show)
    assert shared == {bytes.fromhex(stage.called.key(0).address[2:])}


def test_a_salt_and_a_hash_of_two_calls_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """One salt for both, and one recording, is one item hash: that links them."""
    monkeypatch.setattr(neon, "sha256", lambda _data: _Hash())
    stage = a_stage(Person())
    calls = [recorded(stage, NETWORK, number) for number in range(2)]
    assert bytes(range(32)) in common(stage, calls, as_envelope)


class _Hash:
    def digest(self) -> bytes:
        return bytes(range(32))


@pytest.mark.long
async def test_the_scenario_fails_if_two_calls_can_be_linked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Real nodes and a real chain: a guardian of both calls is seen, and only by the last step."""
    monkeypatch.setattr(Person, "guardian_key", Forgetful.guardian_key)
    outcome = await run_demo(PLAYS["neon"], Options(Path()), Story(Console(quiet=True)))
    assert [one.step.name for one in outcome.results if not one.ok] == ["looking"]
    assert "both calls show" in outcome.results[-1].sentence
