"""What is signed stands on the page in the person's words, and under the same name as in the wallet."""

import hashlib
import html
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest
from eth_account import Account
from playwright.sync_api import Locator, Page, expect

from browser.visit import Visit, short
from browser.world import World
from sayso_protocol.messages.consent import Consent
from sayso_protocol.messages.envelope import Envelope
from sayso_protocol.primitives import hex_text

LAB = Account.create().address
Open = Callable[..., Visit]
# A page that opens this one and asks by a message.
ASKING = """<!doctype html><title>Asks</title><button>Ask</button><script>
const request = %s;
let page = null;
document.querySelector("button").onclick = () => { page = window.open("%s/#/allow"); };
addEventListener("message", (event) => {
  if (event.source === page && event.data.type === "sayso-ready-1")
    page.postMessage({ type: "sayso-request-1", request }, "*");
});
</script>"""


def card(page: Page, held: Envelope) -> Any:
    return page.locator(f'[data-license="{hex_text(held.digest)}"]')


def agreement(held: Envelope) -> str:
    assert isinstance(held.message, Consent)
    return hex_text(held.message.agreement)


def test_a_license_has_one_name_on_the_page_and_in_the_wallet(visit: Open, place: World) -> None:
    ada = place.person()
    held = [place.license(ada, 3, grantee=LAB, via="kled.ai") for _ in range(2)]
    here = visit(account=ada)
    page = here.connect()
    for one in held:
        expect(card(page, one)).to_contain_text(f"Agreement {short(agreement(one))}")
    named = page.get_by_role("dialog").locator("[data-named]")
    page.get_by_role("button", name="Take back all of kled.ai").click()
    for one in held:
        expect(named).to_contain_text(f"agreement {short(agreement(one))}")
    page.get_by_role("button", name="Close").click()

    # Single files are numbers, which the page names as the wallet shows them, beside the files.
    card(page, held[1]).get_by_role("link", name="Files and details").click()
    chosen = page.locator(".items li").first
    item = chosen.locator("code").inner_text()
    assert item in {short(hex_text(one)) for one in held[1].items}
    chosen.get_by_role("checkbox").check()
    page.get_by_role("button", name="Take back 1 file").click()
    expect(page.get_by_role("dialog").get_by_role("listitem").first).to_have_text(item)
    here.look_at("named-file")
    page.get_by_role("button", name="Sign and take back").wait_for()
    beside = named.get_by_role("listitem").inner_text()
    page.get_by_role("button", name="Sign and take back").click()
    expect(page.get_by_role("heading", name="Taken back.")).to_be_visible()
    assert here.wallet
    [asked] = here.wallet.asked
    [word], [mask] = asked["message"]["words"], asked["message"]["masks"]
    assert len(word) > 60
    assert beside.split() == ["words", short(word), "masks", mask, item]
    page.get_by_role("button", name="Done").click()

    page.get_by_role("link", name="← Back").click()
    card(page, held[0]).get_by_role("button", name="Take back").click()
    here.look_at("named")
    shown = [one.text_content() for one in named.locator("code").all()]
    page.get_by_role("button", name="Sign and take back").click()
    expect(page.get_by_role("heading", name="Taken back.")).to_be_visible()
    [scope] = here.wallet.asked[1]["message"]["scopes"]
    kind, value = scope.split(" ")
    assert shown == [f"{kind} {short(value)}"]


# A field of the signed message, and the answers that say it in words.
ANSWERS = {
    "contributor": [],  # the person
    "parties": ["parties"],
    "grantee": ["grantee"],
    "via": ["via"],
    "content": ["files"],
    "items": ["files"],
    "purposes": ["purposes"],
    "terms": ["terms"],
    "termsUri": ["terms"],
    "guardian": ["guardian"],
    "issuedAt": ["until"],
    "expiresAt": ["until"],
    "recheckHours": ["recheck"],
    "removalDays": ["removal"],
}
TERMS = "You may train one model. You may not clone a voice."
TERMS_HASH = "0x" + hashlib.sha256(TERMS.encode()).hexdigest()


def answer(page: Page, name: str) -> Locator:
    return page.locator(f'[data-answer="{name}"]')


def request_of(place: World, **more: str) -> tuple[str, str, str]:
    """A request for every field, the guardian and another party."""
    guardian, other = place.person().address, place.person().address
    asked = {
        "grantee": LAB,
        "via": "kled.ai",
        "purposes": "likeness-synthesis,train-ai",
        "expires": "2027-05-03",
        "recheck_hours": "48",
        "removal_days": "14",
        "guardian": guardian,
        "parties": other,
        "terms": TERMS_HASH,
        "terms_uri": "https://kled.ai/terms.txt",
        "items": ",".join(f"0x{number:064x}" for number in range(41, 44)),
        **more,
    }
    return f"#/allow?{urlencode(asked)}", guardian, other


def test_every_field_is_said_in_the_persons_language(visit: Open, place: World) -> None:
    ada = place.person()
    here = visit(account=ada, language="es-MX")
    link, guardian, other = request_of(place)
    page = here.go(link)
    page.locator(".wallets button").click()
    for name, texts in {
        "files": ["Tus archivos", "3 archivos"],
        "grantee": [LAB],
        "via": ["kled.ai"],
        "purposes": ["clonar", "habla con tu voz", "entrenar IA", "aprende de tus archivos"],
        "until": ["3 de mayo de 2027"],
        "recheck": ["2 días", "antes de volver a preguntar"],
        "removal": ["14 días", "eliminar tus archivos"],
        "guardian": [guardian, "Nunca puede dar permiso"],
        "parties": [other],
        "terms": [TERMS_HASH, "https://kled.ai/terms.txt"],
    }.items():
        for text in texts:
            expect(answer(page, name)).to_contain_text(text)
    expect(answer(page, "purposes").locator("li svg")).to_have_count(2)
    notice = page.locator("[data-notice]")
    expect(notice).to_have_attribute("lang", "en")
    words, signed = page.locator(".answers").bounding_box(), notice.bounding_box()
    assert words
    assert signed
    assert words["y"] + words["height"] <= signed["y"]
    here.look_at("answers")
    page.get_by_role("button", name="Firmar", exact=True).click()
    expect(page.locator("[data-license]")).to_be_visible()
    assert here.wallet
    # No field is signed that has no answer in words.
    assert here.wallet.asked[0]["message"].keys() - {"notice"} == ANSWERS.keys()


# A device with a voice for Spanish of its own, and one that works elsewhere.
SPEAKING = """
window.__said = [];
window.__stopped = 0;
window.SpeechSynthesisUtterance = class { constructor(text) { this.text = text; } };
const heard = [];
let voices = [];
window.__giveVoices = (given) => { voices = given; heard.forEach((tell) => tell()); };
Object.defineProperty(window, "speechSynthesis", { value: {
  getVoices: () => voices,
  speak(one) { window.__said.push({ text: one.text, lang: one.lang, voice: one.voice.name });
               window.__last = one; },
  cancel() { window.__stopped++; },
  addEventListener: (_, tell) => heard.push(tell),
  removeEventListener: () => undefined,
} });
"""


def test_the_answers_are_read_aloud_by_a_voice_of_the_device(visit: Open, place: World) -> None:
    here = visit(account=place.person(), language="es-MX")
    here.context.add_init_script(SPEAKING)
    link, guardian, _ = request_of(place)
    page = here.go(link)
    button = page.get_by_role("button", name="Leer en voz alta")
    expect(page.locator(".answers")).to_be_visible()
    expect(button).to_have_count(0)  # there is no voice yet
    voices = [
        {"name": "cloud", "lang": "es-ES", "localService": False},
        {"name": "english", "lang": "en-US", "localService": True},
    ]
    page.evaluate("given => window.__giveVoices(given)", voices)
    expect(button).to_have_count(0)  # none that stays here and speaks the language
    voices.append({"name": "paloma", "lang": "es_MX", "localService": True})
    page.evaluate("given => window.__giveVoices(given)", voices)
    button.click()
    said = page.evaluate("window.__said")
    assert {(one["voice"], one["lang"]) for one in said} == {("paloma", "es_MX")}
    text = " ".join(one["text"] for one in said)
    for part in ("3 archivos", "kled.ai", "habla con tu voz", "3 de mayo de 2027", "2 días", "14 días"):
        assert part in text
    assert guardian in text
    stop = page.get_by_role("button", name="Dejar de leer")
    before = page.evaluate("window.__stopped")
    stop.click()
    assert page.evaluate("window.__stopped") == before + 1
    button.click()
    page.evaluate("window.__last.onend()")
    expect(button).to_be_visible()


def test_a_request_is_checked_and_only_changed_where_the_person_wants(visit: Open, place: World) -> None:
    here = visit(account=place.person())
    link, *_ = request_of(place, terms="", terms_uri="")
    page = here.connect(link)
    expect(page.get_by_role("heading", name="Check your answers")).to_be_visible()
    expect(page.get_by_text("nothing shows who made the link")).to_be_visible()
    fields = page.locator("main :is(input, select, textarea)")
    expect(fields).to_have_count(0)
    for name in {one for names in ANSWERS.values() for one in names} - {"terms"}:
        expect(answer(page, name).get_by_role("button", name="Change")).to_be_visible()
    answer(page, "via").get_by_role("button", name="Change Marketplace").click()
    expect(page.get_by_label("Marketplace")).to_be_focused()
    expect(fields).to_have_count(1)
    here.look_at("change")
    page.get_by_label("Marketplace").fill("other.example")
    expect(page.locator("[data-notice]")).to_contain_text("through other.example;")
    answer(page, "purposes").get_by_role("button", name="Change").click()
    page.get_by_label("clone a voice or face").uncheck()
    expect(answer(page, "purposes").locator("[data-purpose]")).to_have_count(1)
    # What a request leaves out is asked for.
    page = here.go("#/allow?via=kled.ai")
    expect(page.get_by_label("Who may use them")).to_be_visible()
    expect(answer(page, "grantee")).to_contain_text("Still missing")
    expect(page.get_by_label("Marketplace")).to_have_count(0)
    # A form of the person's own is summed up once it is complete, and Change leads back to the field.
    page = here.go("#/allow")
    expect(page.get_by_role("heading", name="Check your answers")).to_have_count(0)
    page.get_by_label("Choose files").set_input_files(
        files={"name": "a.txt", "mimeType": "text/plain", "buffer": b"a"}
    )
    expect(
        page.get_by_text("Still missing: Who may use them, What for, and For how long")
    ).to_be_visible()
    page.get_by_label("Who may use them").fill(LAB)
    page.get_by_label("train AI", exact=True).check()
    page.get_by_role("button", name="1 year").click()
    expect(answer(page, "files")).to_contain_text("1 file")
    answer(page, "grantee").get_by_role("button", name="Change").click()
    expect(page.get_by_label("Who may use them")).to_be_focused()


def test_a_link_on_the_page_of_somebody_else_cannot_be_overlooked(visit: Open, place: World) -> None:
    here = visit(account=place.person())
    link, *_ = request_of(place)
    body = f'<!doctype html><title>Asks</title><a href="{here.url}/{html.escape(link)}">Ask</a>'
    here.context.route(
        "http://evil.example/*", lambda route: route.fulfill(body=body, content_type="text/html")
    )
    opening = here.context.new_page()
    opening.goto("http://evil.example/")
    opening.get_by_role("link", name="Ask").click()
    page = here.page = here.watch(opening)
    page.get_by_role("button", name="Connect Test Wallet").click()
    expect(page.get_by_role("alert")).to_contain_text(
        "evil.example asks for this, but the license would name kled.ai as the marketplace."
    )
    expect(page.get_by_role("button", name="Sign", exact=True)).to_be_disabled()
    here.look_at("strange-link")


def test_the_terms_are_shown_and_compared_with_what_is_signed(visit: Open, place: World) -> None:
    here = visit(account=place.person())
    link, *_ = request_of(place, parties="", guardian="")
    page = here.connect(link)

    def choose(text: str) -> None:
        page.get_by_label("Choose the terms file").set_input_files(
            files={"name": "terms.txt", "mimeType": "text/plain", "buffer": text.encode()}
        )

    choose(TERMS + " And more.")
    expect(page.get_by_role("alert")).to_have_text(
        "This is another text than the one whose fingerprint you would sign."
    )
    choose(TERMS)
    expect(page.get_by_role("alert")).to_have_count(0)
    expect(page.get_by_text("This is the text whose fingerprint you sign.")).to_be_visible()
    expect(answer(page, "terms").locator("pre")).to_have_text(TERMS)
    here.look_at("terms")
    page.get_by_role("button", name="Sign", exact=True).click()
    expect(page.get_by_role("heading", name="Allowed.")).to_be_visible()
    assert here.wallet
    assert here.wallet.asked[0]["message"]["terms"] == TERMS_HASH


@pytest.mark.parametrize("honest", [True, False])
def test_the_terms_of_a_message_are_those_that_are_signed(
    visit: Open, place: World, honest: bool
) -> None:
    here = visit(account=place.person())
    shown = TERMS if honest else TERMS.replace("may not", "may")
    asked = {
        "grantee": LAB,
        "via": "market.example",
        "purposes": ["train-ai"],
        "expires": "2027-05-03",
        "items": ["0x" + "51" * 32],
        "terms": TERMS_HASH,
        "terms_text": shown,
    }
    body = ASKING % (json.dumps(asked), here.url)
    here.context.route(
        "http://market.example/", lambda route: route.fulfill(body=body, content_type="text/html")
    )
    market = here.context.new_page()
    market.goto("http://market.example/")
    with market.expect_popup() as opening:
        market.get_by_role("button", name="Ask").click()
    page = here.page = here.watch(opening.value)
    page.get_by_role("button", name="Connect Test Wallet").click()
    expect(answer(page, "terms").locator("pre")).to_have_text(shown)
    sign = page.get_by_role("button", name="Sign", exact=True)
    if honest:
        expect(sign).to_be_enabled()
        expect(page.get_by_text("This is the text whose fingerprint you sign.")).to_be_visible()
    else:
        expect(page.get_by_role("alert")).to_contain_text("This is another text")
        expect(sign).to_be_disabled()
