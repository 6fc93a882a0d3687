"""The sentence that a wallet shows (rule 4.6)."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.primitives import address_text
from sayso_protocol.verdicts.verdict import License
from support.protocol_strategies import ADA, BEN, CLEO, LATEST, a_consent, item_hashes, licenses

ITEMS = item_hashes(3)


def test_the_notice_of_an_ordinary_consent() -> None:
    assert a_consent(ITEMS).notice == (
        "I allow use of 3 items of mine for evaluate, train-ai until 2027-01-15 08:00 UTC by"
        f" {address_text(BEN)}, through kled.ai; to be rechecked every 168 hours; removed within 30 days"
        " of revocation; from 2023-11-14 22:13 UTC. I can revoke at any time."
    )


def test_the_notice_of_a_shared_call_with_guardian() -> None:
    people = tuple(sorted([ADA, BEN, CLEO]))
    consent = a_consent(
        ITEMS[:1],
        parties=people,
        grantee=bytes(20),
        via="",
        purposes=("train-ai",),
        guardian=CLEO,
        recheck_hours=1,
        removal_days=1,
    )
    others = ", ".join(address_text(one) for one in people if one != ADA)
    assert consent.notice == (
        "I allow use of 1 item of mine for train-ai until 2027-01-15 08:00 UTC by ANYONE; to be"
        " rechecked every hour; removed within 1 day of revocation; from 2023-11-14 22:13 UTC;"
        f" together with {others}; {address_text(CLEO)} may revoke it too. I can revoke at any time."
    )


def test_the_notice_of_a_revocation_is_constant() -> None:
    assert Revocation(ADA, ("everything",)).notice == (
        "I take back what is listed here, now and for ever, wherever my signature counts."
        " This cannot be undone."
    )


@given(licenses())
def test_a_notice_names_everybody_and_every_purpose(held: License) -> None:
    consent, notice = held.consent, held.consent.notice
    people = {*consent.parties, consent.grantee, consent.guardian} - {bytes(20), consent.contributor}
    assert all(address_text(one) in notice for one in people)
    assert (" ANYONE" in notice) is (consent.grantee == bytes(20))
    assert all(purpose in notice for purpose in consent.purposes)
    assert f" {consent.items} item" in notice
    assert consent.recheck_hours == 1 or f" every {consent.recheck_hours} hours;" in notice
    assert f" within {consent.removal_days} day" in notice
    assert notice.isascii()
    assert "\n" not in notice


@given(st.integers(0, LATEST - 1))
def test_dates_are_in_utc(moment: int) -> None:
    date = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=moment)
    expected = f"from {date.year:04}-{date.month:02}-{date.day:02} {date.hour:02}:{date.minute:02} UTC"
    assert expected in a_consent(ITEMS, issued_at=moment, expires_at=moment + 1).notice
