"""Lists of hashes and addresses: what is wrong is named by its line, never quoted."""

import pytest

from cli.holder.conftest import Company
from sayso.errors import BadList
from sayso.impact.finding import read_exempt
from sayso_protocol.primitives import hex_text, keccak

SECRETS = [keccak(b"wallet").hex(), hex_text(keccak(b"wallet")).upper(), "correct horse battery"]
DISPUTED = ("dispute", "--code", "not-theirs", "--until", "90d")
LISTS = {
    "licenses": ("use", "--purpose", "train-ai", "--run", "7", "--licenses"),
    "digests": ("withdraw", "--digests"),
    "files": (*DISPUTED, "--files"),
    "contributors": (*DISPUTED, "--contributors"),
}


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("name", LISTS)
def test_a_key_or_password_given_as_a_list_is_not_shown(
    company: Company, name: str, secret: str
) -> None:
    """`--contributors ada.key` printed the private key, into logs of whoever ran it."""
    company.world.write("ada.key", f"\n{secret}\n".encode())
    told = company.world.fails("bad-list", *LISTS[name], "ada.key", *company.key)
    assert "line 2: not a" in told.stderr
    assert secret[:8] not in told.output
    assert not company.sent


def test_an_exemption_is_not_quoted(company: Company) -> None:
    path = company.world.write("ada.key", f"{SECRETS[0]} no reason\n".encode())
    with pytest.raises(BadList, match="line 1: not a hash") as caught:
        read_exempt(path)
    assert SECRETS[0][:8] not in str(caught.value)
