"""Requests that are wrong in one thing, and what is said of them: for every route."""

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from node.api.routes import GOOD, outcome, send
from support.running_node import RunningNode

TAKING: Final = [one for one in GOOD if one.kind]
BAD: Final = 400, "bad-request"
Cases = Iterator[tuple[str, bytes, tuple[int, str]]]


class Form(NamedTuple):
    """The code for a parameter that is not in its form, and texts that are not."""

    code: str
    texts: tuple[str, ...]
    status: int = 400


HASH: Final = "0x" + "ab" * 32
FORMS: Final = {
    "Hash": Form(
        "malformed",
        ("zz", HASH[:-1], HASH.upper(), f"{HASH}%0A", f"{HASH}%00", "%FF%FE", "0x" * 3_000),
    ),
    "Address": Form(
        "invalid-address",
        ("ada", "0x00", "0x" + "aB" * 20, "0x" + "ab" * 20 + "%00", "%FF"),
    ),
    "Cursor": Form("bad-cursor", ("x", "A" * 27, "A" * 5_000, "%FF", "-1", "0")),
    "Nonce": Form("malformed", ("x", "", "0x0", "0xAB", "0x" + "00" * 33, "0x%00", "%FF", "0x" * 3_000)),
    "purpose": Form(
        "invalid-purpose",
        ("Train-AI", "", "train-ai%0A", "train-ai+for+x", "%FF", "x" * 5_000),
    ),
    "integer": Form("bad-request", ("x", "-1", "1.0", "1e1", "%D9%A1", "", "9" * 5_000, "+1", "0x1")),
    "name": Form("not-found", ("x", "node.toml", "1-0.delta", "%FF", "x" * 3_000), 404),
    "kind": Form("bad-request", ("x", "", "Use", "use%0A", "revocation", "%FF", "x" * 5_000)),
    "status": Form("bad-request", ("x", "", "Stored", "kept", "%FF", "x" * 5_000)),
    "Addresses": Form("invalid-address", ("x", "", ",", "0x", "0x" + "01" * 19, "%FF", "," * 3_000)),
    "heed": Form("invalid-address", ("x", "none", ",", "0x", "0x" + "01" * 19, "%FF", "," * 3_000)),
    "via": Form("invalid-scope", ("x", "Kled.ai", "kled.ai%0A", "-a.b", "%FF", "a." * 3_000)),
    "after": Form("bad-request", ("x", "-1", "0-0", "1", "0" * 32 + "-01", "%FF")),
}


async def expect(node: RunningNode, cases: Cases) -> None:
    """Send every case; all must end as they should."""
    tried, wrong = 0, {}
    for name, request, expected in cases:
        found = outcome(await send(node, request))
        tried += 1
        if found != expected:
            wrong[name] = found, expected
    assert not wrong, "\n".join(
        f"{name}: {found}, not {expected}" for name, (found, expected) in wrong.items()
    )
    assert tried


def form_of(name: str, schema: dict[str, Any]) -> Form:
    """By its title, by its type, or by its name."""
    return FORMS.get(str(schema.get("title"))) or FORMS.get(str(schema.get("type"))) or FORMS[name]
