"""The network file: what a user trusts (rule 1.4)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso_protocol.errors import InvalidNetworkFile, UnknownSigner
from sayso_protocol.network_file import Named, NetworkFile, Operator, parse_network_file
from sayso_protocol.primitives import address_text
from support.protocol_strategies import addresses, domains, hashes, networks
from support.statements import NODE_KEY, TRUSTED

texts = st.text(st.characters(codec="utf-8"), max_size=30)
operators = st.builds(Operator, texts.filter(bool), hashes, texts, texts)
named = st.lists(
    st.builds(Named, addresses, texts.filter(bool), st.just("") | domains, texts),
    max_size=16,
    unique_by=lambda one: one.address,
).map(tuple)
numbers = st.integers(0, (1 << 63) - 1)
files = st.builds(
    NetworkFile,
    networks,
    numbers,
    numbers,
    st.lists(operators, max_size=3, unique_by=lambda operator: operator.key).map(tuple),
    named,
    named,
)
GOOD = TRUSTED.to_toml()
KEY = NODE_KEY.hex()


@given(files)
def test_a_file_reads_back_as_itself(file: NetworkFile) -> None:
    assert parse_network_file(file.to_toml()) == file


@pytest.mark.parametrize("name", ["\U0001f600", "\x7f", '"', "\\", "a\nb = 1", "\x00", "\u2028", "'''"])
def test_no_name_breaks_the_file(name: str) -> None:
    file = NetworkFile(TRUSTED.network, 1, 12, (Operator(name, NODE_KEY, name, name),))
    assert parse_network_file(file.to_toml()) == file


WHO = address_text(b"\x01" * 20)
HEED = f'\n[[heed]]\naddress = "{WHO}"\nname = "Union"\n'
BROKEN = {
    **{
        f"{part}: {what}": GOOD + HEED.replace("heed", part).replace(one, other)
        for part in ("heed", "names")
        for what, one, other in (
            ("no name", 'name = "Union"', ""),
            ("no address", "address", "addresses"),
            ("name as number", '"Union"', "5"),
            ("an empty name", '"Union"', '""'),
            ("zero", WHO, address_text(bytes(20))),
            ("short", WHO, WHO[:-1]),
            ("domain in upper case", '"Union"', '"Union"\ndomain = "Union.Example"'),
            ("role as number", '"Union"', '"Union"\nrole = 5'),
            ("twice", '"Union"', f'"Union"\n[[{part}]]\naddress = "{WHO}"\nname = "Again"'),
            ("one table", f"[[{part}]]", f"[{part}]"),
        )
    },
    "17 heeded": GOOD + "".join(HEED.replace(WHO, address_text(bytes([n]) * 20)) for n in range(1, 18)),
    "empty": "",
    "not TOML": "chain_id = ",
    "not TOML at all": "\x00",
    "no chain id": GOOD.replace("chain_id", "chain"),
    "chain id as text": GOOD.replace("chain_id = 31337", 'chain_id = "31337"'),
    "chain id as truth": GOOD.replace("chain_id = 31337", "chain_id = true"),
    "chain id as fraction": GOOD.replace("chain_id = 31337", "chain_id = 1.0"),
    "negative chain id": GOOD.replace("chain_id = 31337", "chain_id = -1"),
    "chain id 0": GOOD.replace("chain_id = 31337", "chain_id = 0"),
    "chain id of 54 bits": GOOD.replace("chain_id = 31337", f"chain_id = {1 << 53}"),
    "chain id of 65 bits": GOOD.replace("chain_id = 31337", f"chain_id = {1 << 64}"),
    "endless chain id": GOOD.replace("chain_id = 31337", "chain_id = " + "1" * 5_000),
    "no registry": GOOD.replace("registry", "contract"),
    "registry with a typing mistake": GOOD.replace('registry = "0x', 'registry = "0x0'),
    "registry as number": "chain_id = 1\nregistry = 5\ndeploy_block = 1\nfinality = 1",
    "no deploy block": GOOD.replace("deploy_block", "block"),
    "no finality": GOOD.replace("finality", "final"),
    "negative finality": GOOD.replace("finality = 12", "finality = -12"),
    "operators as number": "operators = 5\n" + GOOD.split("\n[[")[0],
    "operators as text": 'operators = "north"\n' + GOOD.split("\n[[")[0],
    "operators as table": GOOD.split("\n[[")[0] + '[operators]\nname = "north"\n',
    "operator as number": "operators = [5]\n" + GOOD.split("\n[[")[0],
    "operator without name": GOOD.replace('name = "north"', ""),
    "operator without key": GOOD.replace(f'key = "{KEY}"', ""),
    "short key": GOOD.replace(KEY, KEY[:-2]),
    "long key": GOOD.replace(KEY, KEY + "00"),
    "key that is not hexadecimal": GOOD.replace(KEY, "g" * 64),
    "key as number": GOOD.replace(f'"{KEY}"', "5"),
    "url as number": GOOD.replace('url = "http://south"', "url = 5"),
    "peer as table": GOOD.replace('url = "http://south"', "peer = {}"),
    "the same key twice": GOOD + f'\n[[operators]]\nname = "east"\nkey = "{KEY}"\n',
    "heeded as number": "heed = 5\n" + GOOD,
    "nested without end": "a = " + "[" * 50_000,
}


@pytest.mark.parametrize("text", BROKEN.values(), ids=BROKEN)
def test_a_broken_file_is_refused(text: str) -> None:
    with pytest.raises(InvalidNetworkFile):
        parse_network_file(text)


@given(st.text(max_size=60))
def test_only_our_error_comes_out_of_text(text: str) -> None:
    with pytest.raises(InvalidNetworkFile):
        parse_network_file(text)


def test_the_good_file_is_good() -> None:
    assert parse_network_file(GOOD) == TRUSTED


def test_an_operator_is_found_by_key_alone() -> None:
    assert TRUSTED.operator_of(NODE_KEY).name == "north"
    with pytest.raises(UnknownSigner):
        TRUSTED.operator_of(bytes(32))
