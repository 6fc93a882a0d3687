"""Addresses and hashes against eth_utils, which shares no code with ours."""

import pytest
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak as keccak_of_eth_utils
from hypothesis import given
from hypothesis import strategies as st

from sayso_protocol.errors import InvalidAddress, Malformed, SaysoError
from sayso_protocol.primitives import (
    address_from_text,
    address_text,
    hash_from_text,
    hex_text,
    keccak,
)
from support.protocol_strategies import addresses, hashes

CHECKSUMMED = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"  # EIP-55's own example


@given(addresses)
def test_checksums_are_those_of_eth_utils(address: bytes) -> None:
    assert address_text(address) == to_checksum_address(address)


@given(st.binary(max_size=300))
def test_keccak_is_that_of_eth_utils(data: bytes) -> None:
    assert keccak(data) == keccak_of_eth_utils(data)


@given(addresses)
def test_an_address_is_read_from_both_its_forms(address: bytes) -> None:
    assert address_from_text(address_text(address)) == address
    assert address_from_text(hex_text(address)) == address


@given(hashes)
def test_a_hash_is_read_from_its_text(value: bytes) -> None:
    assert hash_from_text(hex_text(value)) == value


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0x",
        CHECKSUMMED[2:],
        CHECKSUMMED[:-1],
        CHECKSUMMED + "0",
        CHECKSUMMED.replace("0x", "0X"),
        CHECKSUMMED.replace("5a", "5A"),
        CHECKSUMMED.upper().replace("0X", "0x"),
        "0x" + " " * 40,
        "0x" + "1 " * 20,
        "0x" + "\uff11" * 40,
        "0x" + "g" * 40,
    ],
)
def test_what_is_not_an_address(text: str) -> None:
    with pytest.raises(InvalidAddress):
        address_from_text(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0x",
        "0x" + "a" * 63,
        "0x" + "a" * 65,
        "0x" + "A" * 64,
        "0x" + " " * 64,
        "0x" + "a" * 62 + "  ",
        "0x" + "\n" * 2 + "a" * 62,
        "0x" + "\uff11" * 64,
        "a" * 66,
    ],
)
def test_what_is_not_a_hash(text: str) -> None:
    with pytest.raises(Malformed):
        hash_from_text(text)


@given(st.text(max_size=80))
def test_nothing_but_our_errors_comes_out_of_text(text: str) -> None:
    for read in (address_from_text, hash_from_text):
        with pytest.raises(SaysoError):
            read(text)
