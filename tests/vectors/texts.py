"""Vectors of texts that people and files hold: addresses, hashes, purposes, scopes, network files."""

from collections.abc import Callable
from typing import Any

from sayso_protocol.errors import SaysoError
from sayso_protocol.network_file import parse_network_file
from sayso_protocol.permissions.purposes import check_purpose
from sayso_protocol.permissions.scopes import Scope
from sayso_protocol.primitives import address_from_text, address_text, hash_from_text, hex_text
from support.protocol_strategies import ADA, NETWORK, item_hashes
from support.statements import NODE_KEY, OTHER_KEY

HASH = hex_text(item_hashes(1)[0])
ADDRESS = address_text(ADA)
FILE = f"""chain_id = 31337
registry = "{address_text(NETWORK.registry)}"
deploy_block = 1
finality = 12
"""
NORTH = f'\n[[operators]]\nname = "north"\nkey = "{NODE_KEY.hex()}"\n'
SOUTH = f'\n[[operators]]\nname = "south"\nkey = "{OTHER_KEY.hex()}"\nurl = "https://south.example"\n'


def _swapped(address: str) -> str:
    """With one letter of the other case."""
    at = next(at for at in range(2, 42) if address[at].isalpha())
    return address[:at] + address[at].swapcase() + address[at + 1 :]


ADDRESSES = [ADDRESS, ADDRESS.lower(), _swapped(ADDRESS), "0x" + ADDRESS[2:].upper(), ADDRESS[2:]]
ADDRESSES += [
    ADDRESS[:-1],
    ADDRESS + "0",
    "0X" + ADDRESS[2:].lower(),
    ADDRESS[:-1] + "g",
    ADDRESS + "\n",
]
HASHES = [
    HASH,
    "\ufeff" + HASH,
    HASH + "\x7f",
    "0x" + "0" * 64,
    HASH[2:],
    HASH[:-1],
    HASH + "0",
    "0x" + HASH[2:].upper(),
    HASH + "\n",
    " " + HASH,
]
PURPOSES = ["train-ai", "a", "p" * 32, "p" * 33, "", "Train-ai", "1st", "-a", "a-", "train ai", "a_b"]
PURPOSES += ["train-ai\n", "tr\u00e4in", "p" * 31, "a--b", "\ufefftrain-ai", "train-ai\x7f"]
SCOPES = [
    "everything",
    "everything for resale",
    "via kled.ai",
    "via xn--bcher-kva.example for train-ai",
    f"file {HASH}",
    f"ward {ADDRESS.lower()} file {HASH} for train-ai",
    f"agreement {HASH}",
    f"ward {ADDRESS.lower()} agreement {HASH} for train-ai",
    f"to {ADDRESS.lower()}",
    f"ward {ADDRESS.lower()} to {ADDRESS.lower()} for train-ai",
    f"statement {HASH}",
    "statements",
    f"statements to {ADDRESS.lower()}",
    "",
    "Everything",
    "everything ",
    " everything",
    "everything  for resale",
    "everything for",
    "everything for Resale",
    "everything for resale for resale",
    "via ",
    "via kled",
    "via Kled.ai",
    "via kled.ai.",
    "via b\u00fccher.example",
    "via " + "k" * 64 + ".ai",
    "via " + "k" * 63 + ".ai",
    "via " + "k" * 60 + "." + "l" * 36 + ".ai",
    "via " + "k" * 61 + "." + "l" * 36 + ".ai",
    "via -kled.ai",
    "via kled-.ai",
    "via kled.-ai",
    "via 1.2",
    "via kled..ai",
    "via .ai",
    "via k",
    "via kled.ai/terms",
    "\ufeffeverything",
    "everything\x7f",
    "everything for train-ai\x7f",
    "everything for " + "p" * 32,
    "everything for " + "p" * 33,
    "file " + HASH[2:],
    "file " + HASH[:-1] + "F",
    f"ward {ADDRESS} everything",
    f"ward {ADDRESS.lower()}",
    f"ward {ADDRESS.lower()} ward {ADDRESS.lower()} everything",
    "nothing",
    "agreement",
    "agreement " + HASH[2:],
    "agreement " + HASH[:-1],
    "agreement " + HASH[:-1] + "F",
    f"agreement {ADDRESS.lower()}",
    "to",
    f"to {ADDRESS}",
    f"to {ADDRESS.lower()[2:]}",
    f"to {ADDRESS.lower()}0",
    f"to {HASH}",
    "to 0x" + "0" * 40,
    "to 0x" + "0" * 39 + "1",
    f"ward {ADDRESS.lower()} to 0x" + "0" * 40,
    "to anyone",
    "statement",
    f"statement {ADDRESS.lower()}",
    f"statement {HASH} for train-ai",
    f"ward {ADDRESS.lower()} statement {HASH}",
    "statements for train-ai",
    f"ward {ADDRESS.lower()} statements",
    f"statements to {ADDRESS}",
    "statements to 0x" + "0" * 40,
    f"statements to {ADDRESS.lower()} for train-ai",
    f"ward {ADDRESS.lower()} statements to {ADDRESS.lower()}",
    f"statements {HASH}",
]
UNION = f'\n[[heed]]\naddress = "{ADDRESS}"\nname = "Voices"\n'
PEOPLE = [UNION.replace(ADDRESS, f"0x{number:040}") for number in range(1, 18)]
NETWORKS = [
    FILE,
    "\ufeff" + FILE,
    FILE.replace("chain_id = 31337", f"chain_id = {(1 << 53) - 1}"),
    FILE.replace("chain_id = 31337", "chain_id = 1"),
    FILE.replace("chain_id = 31337", "chain_id = 31337.0"),
    FILE.replace("finality = 12", "finality = 0"),
    FILE.replace("deploy_block = 1", "deploy_block = 0"),
    FILE.replace("deploy_block = 1", "deploy_block = -1"),
    FILE.replace("chain_id = 31337\n", "chain_id = 31337\nchain_id = 31337\n"),
    FILE + NORTH.replace('"north"', '""'),
    FILE + "#" * (65_536 - len(FILE)),
    FILE + "#" * (65_537 - len(FILE)),
    FILE + UNION + UNION.replace("heed", "names") + 'domain = "voices.example"\nrole = "union"\n',
    FILE + UNION + UNION,
    FILE + UNION.replace("heed", "names") * 2,
    FILE + UNION.replace('name = "Voices"\n', ""),
    FILE + UNION.replace(ADDRESS, "0x" + "0" * 40),
    FILE + UNION.replace(ADDRESS, _swapped(ADDRESS)),
    FILE + UNION.replace(f'address = "{ADDRESS}"\n', ""),
    FILE + UNION + 'domain = "Voices"\n',
    FILE + "".join(PEOPLE[:16]),
    FILE + "".join(PEOPLE),
    FILE + NORTH + SOUTH,
    FILE + NORTH + NORTH,
    FILE + NORTH.replace('name = "north"\n', ""),
    FILE + NORTH.replace(NODE_KEY.hex(), NODE_KEY.hex()[:-2]),
    FILE + NORTH.replace(NODE_KEY.hex(), NODE_KEY.hex().upper()),
    FILE + NORTH.replace(NODE_KEY.hex(), NODE_KEY.hex()[:32] + " " + NODE_KEY.hex()[32:]),
    FILE.replace("chain_id = 31337\n", ""),
    FILE.replace("chain_id = 31337", "chain_id = 0"),
    FILE.replace("chain_id = 31337", f"chain_id = {1 << 53}"),
    FILE.replace("31337", '"31337"'),
    FILE.replace("31337", "18446744073709551616"),
    FILE.replace("finality = 12\n", ""),
    FILE.replace("finality = 12", "finality = -1"),
    FILE.replace("deploy_block = 1\n", ""),
    FILE.replace(address_text(NETWORK.registry), _swapped(address_text(NETWORK.registry))),
    FILE.replace("=", ":"),
]
READERS: dict[str, tuple[Callable[[str], object], list[str]]] = {
    "address": (address_from_text, ADDRESSES),
    "hash": (hash_from_text, HASHES),
    "purpose": (check_purpose, PURPOSES),
    "scope": (Scope.parse, SCOPES),
    "network file": (parse_network_file, NETWORKS),
}


def code_of(read: Callable[[Any], object], value: Any) -> str | None:
    """The code with which a reader refuses a value, or None."""
    try:
        read(value)
    except SaysoError as error:
        return error.code
    return None


def texts() -> list[dict[str, Any]]:
    """Each text with the code of its refusal, or null where it is fine."""
    return [
        {"kind": kind, "text": text, "code": code_of(read, text)}
        for kind, (read, some) in READERS.items()
        for text in some
    ]
