"""The page brings signatures into the same form as the command and the API, in its own code."""

import json
import subprocess
from random import Random

from eth_account import Account

from browser.test_build import WEB
from protocol.signatures.test_wallet_forms import forms
from sayso_protocol.primitives import address_from_text, hex_text
from sayso_protocol.signatures.wallet_forms import by_contract, by_key
from sayso_protocol.signatures.wallets import Claim

KEYS = 64


def read_by_page(cases: list[tuple[str, bool]]) -> list[str]:
    assert (WEB / "node_modules" / "esbuild").is_dir(), "run `make page`, which installs what it needs"
    done = subprocess.run(
        ("node", "test/signatures.mjs"),
        cwd=WEB,
        input=json.dumps(cases),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: list[str] = json.loads(done.stdout)
    return found


def test_the_page_writes_what_the_command_writes() -> None:
    random = Random(18)
    cases, wanted = [], []
    for _ in range(KEYS):
        account, digest = Account.from_key(random.randbytes(32)), random.randbytes(32)
        made = account.unsafe_sign_hash(digest)
        for form in forms(made.r, made.s, made.v - 27, random.randrange(1 << 53)).values():
            found = by_key(Claim(address_from_text(account.address), digest, form))
            assert found == bytes(made.signature)
            for text in (hex_text(form), f" 0X{form.hex().upper()}\n"):
                cases.append((text, False))
                wanted.append(hex_text(found))
            cases.append((form.hex(), True))
            wanted.append(hex_text(by_contract(form)))
    for length in (0, 1, 63, 65, 73, 130, 500):
        given = bytes([29]) * length  # no key's: 29 is no v
        cases += [(hex_text(given), False), (hex_text(given), True)]
        wanted += [hex_text(given), hex_text(by_contract(given))]
    assert read_by_page(cases) == wanted
