"""Keys derived from one seed: the same each time, none like another, by the published algorithm."""

import pytest
from eth_account.hdaccount import key_from_seed
from hypothesis import given
from hypothesis import strategies as st

from cli.conftest import EASY, PASSWORD, World
from sayso.contributor.derived_keys import NUMBERS, Branch, derived_account
from sayso.contributor.keystore import load_key, save_key

# BIP-32, test vector 1.
SEED = bytes.fromhex("000102030405060708090a0b0c0d0e0f")
PUBLISHED = {
    "m/0'": "edb2e14f9ee77d26dd93b4ecede8d16ed408ce149b6cd80b0715a2d911a0afea",
    "m/0'/1/2'/2": "0f479245fb19a38a1954c5c7c0ebab2f9bdfd96a17563ef28a6a4b1a2a764ef4",
}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(save_key, "__kwdefaults__", {"work": EASY})


@pytest.mark.parametrize("path", PUBLISHED)
def test_the_library_follows_the_published_vectors(path: str) -> None:
    assert key_from_seed(SEED, path).hex() == PUBLISHED[path]


@given(
    st.binary(min_size=16, max_size=64),
    st.lists(st.tuples(st.integers(0, NUMBERS - 1), st.sampled_from(Branch)), unique=True, max_size=4),
)
def test_no_key_is_like_another(seed: bytes, wanted: list[tuple[int, Branch]]) -> None:
    found = [derived_account(seed, *one) for one in wanted]
    assert len({one.address for one in found}) == len(wanted)
    assert [derived_account(seed, *one).key for one in wanted] == [one.key for one in found]


def test_the_command_writes_the_derived_key(world: World) -> None:
    world.run("key", "new", "seed.json")
    said = world.run("key", "derive", "seed.json", "7.json", "--number", "7").stdout.strip()
    seed = load_key(world.folder / "seed.json", PASSWORD)
    derived = load_key(world.folder / "7.json", PASSWORD)
    assert derived.address == said == derived_account(bytes(seed.key), 7).address
    other = world.run("key", "derive", "seed.json", "g.json", "--number", "7", "--guardian")
    assert other.stdout.strip() == derived_account(bytes(seed.key), 7, Branch.GUARDIAN).address


def test_nothing_is_overwritten_and_no_number_is_too_large(world: World) -> None:
    world.run("key", "new", "seed.json")
    for number, status in (("0", 1), (str(NUMBERS), 2), ("-1", 2)):
        to = "seed.json" if status == 1 else "new.json"
        world.run("key", "derive", "seed.json", to, "--number", number, status=status)
    assert not (world.folder / "new.json").exists()
