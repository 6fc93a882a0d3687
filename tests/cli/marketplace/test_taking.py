"""Answers to requests for consent are input of strangers: only what was asked for is taken, once."""

import json
from dataclasses import replace
from typing import Any

import pytest
from eth_account import Account

from cli.marketplace.shop import LAB, ORIGIN, Shop, address, answer, as_asked, person
from sayso.contributor.licensing import build_consents, sign_message
from sayso_protocol.errors import SaysoError
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.network import Network
from sayso_protocol.primitives import address_text, hex_text, sha256
from support.node_rig import NOW

ADA = person("ada")
NOTHING = dict.fromkeys(("sayso_consents", "sayso_rows", "sayso_messages"), 0)


def refused(shop: Shop, code: str, token: str, given: bytes, origin: str | None = ORIGIN) -> None:
    """It is refused with this code, and nothing of it is kept."""
    before = shop.counts()
    with pytest.raises(SaysoError) as caught:
        shop.take(token, given, origin)
    assert caught.value.code == code, caught.value
    assert shop.counts() == before


def test_a_request_is_answered_once_however_often_the_answer_comes(shop: Shop) -> None:
    request = shop.request(shop.keep("a.wav", "b.wav"))
    (envelope,) = shop.signed(ADA, request)
    given = answer([envelope])
    assert shop.take(request.token, given) == {envelope.digest: True}
    once = shop.counts()
    assert shop.take(request.token, given) == {envelope.digest: False}
    assert shop.take(request.token, json.dumps(json.loads(given)["licenses"]).encode()) == {
        envelope.digest: False
    }
    assert shop.counts() == once
    assert (once["sayso_consents"], once["sayso_rows"], once["sayso_messages"]) == (1, 2, 1)
    with shop.market.begin(shop.engine) as db:
        assert [one.envelope for one in shop.market.outbox(db)] == [envelope]
        assert shop.market.stock(db, ["train-ai"]) == []  # no node has it yet


def test_an_answer_of_a_request_that_is_over_is_known_or_refused(shop: Shop) -> None:
    request = shop.request(shop.keep("a.wav"))
    (first,) = shop.signed(ADA, request)
    (second,) = shop.signed(person("ben"), request)
    shop.take(request.token, answer([first]))
    shop.market.clock = lambda: NOW + 86_401
    assert shop.take(request.token, answer([first])) == {first.digest: False}
    refused(shop, "unknown-request", request.token, answer([second]))


@pytest.mark.parametrize("origin", [None, "null", "https://evil.example", "http://market.example", ""])
def test_an_answer_from_another_site_is_refused(shop: Shop, origin: str | None) -> None:
    request = shop.request(shop.keep("a.wav"))
    refused(shop, "foreign-origin", request.token, answer(shop.signed(ADA, request)), origin)


@pytest.mark.parametrize("token", ["", "00" * 32, "x" * 100_000, "' OR 1=1 --"])
def test_a_token_that_nobody_made_is_refused(shop: Shop, token: str) -> None:
    request = shop.request(shop.keep("a.wav"))
    refused(shop, "unknown-request", token, answer(shop.signed(ADA, request)))


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"grantee": address_text(LAB)}, "not-licensed"),
        ({"grantee": "0x" + "00" * 20}, "not-licensed"),
        ({"via": "evil.example"}, "other-consent"),
        ({"via": ""}, "other-consent"),
        ({"purposes": ["resale", "train-ai", "evaluate"]}, "other-consent"),
        ({"expires": int(NOW) + 40_000_000}, "other-consent"),
        ({"terms": hex_text(sha256(b"other terms"))}, "other-consent"),
        ({"terms_uri": "https://evil.example/terms"}, "other-consent"),
        ({"parties": [address_text(LAB)]}, "other-consent"),
        ({"removal_days": 31}, "other-consent"),
        ({"recheck_hours": 169}, "other-consent"),
        ({"items": [hex_text(sha256(b"what the shop does not keep"))]}, "other-consent"),
    ],
)
def test_a_consent_that_was_not_asked_for_is_refused(
    shop: Shop, changes: dict[str, Any], code: str
) -> None:
    more = {"removal_days": 30, "recheck_hours": 168, "terms": "We sell it."}
    request = shop.request(shop.keep("a.wav"), **more)
    refused(shop, code, request.token, answer(shop.signed(ADA, request, **changes)))
    assert shop.take(request.token, answer(shop.signed(ADA, request)))


@pytest.mark.parametrize(
    "changes",
    [
        {"purposes": ["train-ai"]},
        {"expires": int(NOW) + 1_000},
        {"removal_days": 1},
        {"recheck_hours": 1},
        {"guardian": address_text(LAB)},
    ],
)
def test_a_person_may_give_less(shop: Shop, changes: dict[str, Any]) -> None:
    request = shop.request(shop.keep("a.wav", "b.wav"), removal_days=30, recheck_hours=168)
    changes = {"items": request.body["items"][:1]} | changes
    assert [*shop.take(request.token, answer(shop.signed(ADA, request, **changes))).values()] == [True]


def test_only_the_expected_person_can_sign(shop: Shop) -> None:
    request = shop.request(shop.keep("a.wav"), contributor=address(ADA))
    refused(shop, "other-consent", request.token, answer(shop.signed(person("eve"), request)))
    assert shop.take(request.token, answer(shop.signed(ADA, request)))


def test_a_consent_of_another_network_is_refused(shop: Shop) -> None:
    request = shop.request(shop.keep("a.wav"))
    for other in (Network(1, shop.network.registry), Network(shop.network.chain_id, b"\x09" * 20)):
        refused(shop, "wrong-network", request.token, answer(shop.signed(ADA, request, other)))


def test_a_signature_of_somebody_else_is_refused(shop: Shop) -> None:
    request = shop.request(shop.keep("a.wav"))
    terms, hashes, now = as_asked(request.body, NOW)
    ((consent, items),) = build_consents(address(ADA), hashes, terms, now)
    forged = sign_message(person("eve"), consent, shop.network, items)
    refused(shop, "bad-signature", request.token, answer([forged]))


def test_a_consent_cannot_be_moved_to_another_request(shop: Shop) -> None:
    kept = shop.keep("a.wav")
    first, second = shop.request(kept), shop.request(kept)
    envelopes = shop.signed(ADA, first)
    shop.take(first.token, answer(envelopes))
    refused(shop, "other-consent", second.token, answer(envelopes))


@pytest.mark.parametrize(
    ("given", "code"),
    [
        (b"", "malformed"),
        (b"\xff", "malformed"),
        (b"{}", "malformed"),
        (b"[]", "malformed"),
        (b"[1]", "malformed"),
        (b'[{"license": "0x00"}]', "malformed"),
        (b'[{"envelope": 7}]', "malformed"),
        (b'[{"envelope": "0x00"}]', "malformed"),
        (b'[{"envelope": "zz"}]', "malformed"),
        (b'{"type": "sayso-request-1", "licenses": []}', "malformed"),
        (b"[" * 100_000, "malformed"),
        (b" " * (9 << 20), "malformed"),
        (json.dumps([{"envelope": "0x" + "00" * 70_000}]).encode(), "malformed"),
    ],
    ids=range(13),
)
def test_what_is_no_answer_is_refused(shop: Shop, given: bytes, code: str) -> None:
    request = shop.request(shop.keep("a.wav"))
    refused(shop, code, request.token, given)


def test_an_answer_that_contradicts_itself_is_refused(shop: Shop) -> None:
    request = shop.request(shop.keep("a.wav"))
    envelopes = shop.signed(ADA, request)
    refused(shop, "malformed", request.token, answer(envelopes, license="0x" + "11" * 32))
    refused(shop, "malformed", request.token, answer(envelopes * 65))
    stop = sign_message(ADA, Revocation(address(ADA), ("everything",)), shop.network)
    refused(shop, "other-consent", request.token, answer([stop]))
    # One wrong license refuses the whole answer: nothing is half taken.
    other = shop.signed(ADA, request, grantee=address_text(LAB))
    refused(shop, "not-licensed", request.token, answer([*envelopes, *other]))


def test_a_link_and_a_message_ask_for_the_same(shop: Shop) -> None:
    kept = shop.keep("a.wav")
    request = shop.request(kept, terms="We sell it.", contributor=address(ADA))
    assert "contributor" not in request.message["request"]
    assert request.message["request"]["terms"] == hex_text(sha256(b"We sell it."))
    link = request.link("https://node.example/")
    assert link.startswith("https://node.example/#/allow?grantee=0x")
    assert f"items={hex_text(kept[0].item)}" in link
    assert "terms_text=We+sell+it." in link
    long = shop.request(kept, terms="x" * 100_000).link("https://node.example")
    assert "terms_text" not in long
    assert f"terms={hex_text(sha256(b'x' * 100_000))}" in long


def test_a_request_asks_for_an_end_that_the_page_can_sign(shop: Shop) -> None:
    """The page has a field for a day; what people sign is its last second in UTC."""
    day = 86_400 * 21_000
    for moment in (day, day + 1, day + 86_399):
        request = shop.request(shop.keep("a.wav"), expires_at=moment)
        assert request.message["request"]["expires"] == day + 86_399


def test_tokens_and_salts_are_not_guessed(shop: Shop) -> None:
    kept = shop.keep("a.wav") + shop.keep("a.wav")
    assert kept[0].item != kept[1].item  # the same file, another salt
    assert len({shop.request(kept).token for _ in range(3)}) == 3
    with pytest.raises(SaysoError) as caught:
        shop.keep("a.wav", salt=b"short")
    assert caught.value.code == "wrong-item"
    (plain,) = shop.keep("a.wav", salt=b"")
    assert plain.item == sha256(b"contents of a.wav")
    with pytest.raises(SaysoError) as caught:
        shop.request([replace(plain, item=sha256(b"unknown"))])
    assert caught.value.code == "wrong-item"
    assert Account.from_key(b"\1" * 32).address != shop.key.address


def test_one_request_takes_a_bounded_number_of_consents(shop: Shop) -> None:
    """Whoever has a token could otherwise fill the shop's database, and its quota at the node."""
    request = shop.request(shop.keep("a.wav"))
    ends = [request.body["expires"] - number for number in range(65)]
    many = [one for end in ends for one in shop.signed(ADA, request, expires=end)]
    for at in range(0, 64, 16):
        assert len(shop.take(request.token, answer(many[at : at + 16]))) == 16
    refused(shop, "other-consent", request.token, answer(many[64:]))
    assert shop.take(request.token, answer(many[:1])) == {many[0].digest: False}


def test_what_no_page_could_ask_for_is_not_asked(shop: Shop) -> None:
    kept = shop.keep("a.wav")
    wrong: list[tuple[str, dict[str, Any]]] = [
        ("invalid-purpose", {"purposes": ("Train AI",)}),
        ("too-large", {"terms": "x" * 200_001}),
        ("invalid-consent", {"expires_at": int(NOW) - 100_000}),
    ]
    for code, more in wrong:
        with pytest.raises(SaysoError) as caught:
            shop.request(kept, **more)
        assert caught.value.code == code
    with pytest.raises(SaysoError) as caught:
        shop.request([])
    assert caught.value.code == "nothing-to-grant"


def test_a_link_that_browsers_would_cut_is_not_made(shop: Shop) -> None:
    request = shop.request(shop.keep("a.wav"))
    long = replace(request, body=request.body | {"items": [hex_text(sha256(b"x"))] * 500})
    with pytest.raises(SaysoError) as caught:
        long.link("https://node.example")
    assert caught.value.code == "too-large"
    assert len(long.message["request"]["items"]) == 500
