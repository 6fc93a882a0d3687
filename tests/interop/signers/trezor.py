"""A simulated Trezor behind the code of its makers (`trezorlib`), which encodes what it asks for.

The device asks its host for each struct, and then for each value, one at a time; the length of a list is
a value, too. It sees nothing but what the host encodes, through the codec of the wire, and hashes that
by EIP-712. Its questions follow the published messages; a real device may ask twice, to show a value.
"""

from collections.abc import Generator
from io import BytesIO
from typing import Any, Final, NamedTuple, Self

from eth_account.signers.local import LocalAccount
from trezorlib import ethereum, messages, protobuf

from sayso_protocol.primitives import keccak

WORD: Final = 32
DOMAIN: Final = "EIP712Domain"
_Type = messages.EthereumDataType
_NAMES: Final = {_Type.STRING: "string", _Type.BOOL: "bool", _Type.ADDRESS: "address"}
_SIZED: Final = {_Type.UINT: ("uint", 8), _Type.INT: ("int", 8), _Type.BYTES: ("bytes", 1)}
Asking = Generator[Any, Any, bytes]


class Signed(NamedTuple):
    """What a device made of typed data, how many values it asked for, and how often it asked."""

    signature: bytes
    values: int
    round_trips: int


def over_the_wire(message: Any) -> Any:
    """A message as it arrives, by the codec of its makers."""
    written = BytesIO()
    protobuf.dump_message(written, message)
    written.seek(0)
    return protobuf.load_message(written, type(message))


def _name(kind: Any) -> str:
    """The name of a type in EIP-712, from its form on the wire."""
    if kind.data_type == _Type.ARRAY:
        assert kind.size is None, "no message of ours has lists of a fixed length"
        return _name(kind.entry_type) + "[]"
    if kind.data_type in _SIZED:
        name, bits = _SIZED[kind.data_type]
        return name + (str(kind.size * bits) if kind.size is not None else "")
    return _NAMES[kind.data_type]


def _hashed(kind: Any, value: bytes) -> bytes:
    """A value as it enters the hash of its struct."""
    if kind.data_type == _Type.STRING or (kind.data_type == _Type.BYTES and kind.size is None):
        return keccak(value)
    if kind.data_type == _Type.BYTES:
        return value.ljust(WORD, b"\0")
    assert kind.data_type != _Type.INT, "no message of ours has negative numbers"
    return value.rjust(WORD, b"\0")


class Device:
    """Asks for typed data and signs it by a key; `trezorlib` takes it for a session."""

    def __init__(self, account: LocalAccount) -> None:
        self._account = account
        self._asking: Asking | None = None
        self.values = self.round_trips = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """As a session, which stays open meanwhile."""

    def call(self, message: Any) -> Any:
        """Answer a message of the host; the last answer is the signature."""
        said, self.round_trips = over_the_wire(message), self.round_trips + 1
        try:
            if self._asking is None:
                self._asking = self._sign(said)
                question = next(self._asking)
            else:
                question = self._asking.send(said)
        except StopIteration as end:
            made = {"signature": end.value, "address": self._account.address}
            return over_the_wire(messages.EthereumTypedDataSignature(**made))
        return over_the_wire(question)

    def _sign(self, request: Any) -> Asking:
        members = {}
        for name in (DOMAIN, request.primary_type):
            answer = yield messages.EthereumTypedDataStructRequest(name=name)
            members[name] = answer.members
        hashes = []
        for root, name in enumerate(members):
            hashes.append((yield from self._struct(root, name, members[name])))
        digest = keccak(b"\x19\x01" + b"".join(hashes))
        return bytes(self._account.unsafe_sign_hash(digest).signature)  # type: ignore[arg-type]

    def _struct(self, root: int, name: str, members: list[Any]) -> Asking:
        written = ",".join(f"{_name(one.type)} {one.name}" for one in members)
        parts = [keccak(f"{name}({written})".encode())]
        for place, one in enumerate(members):
            value = yield from self._value([root, place])
            if one.type.data_type == _Type.ARRAY:
                entries = []
                for at in range(int.from_bytes(value)):
                    entry = yield from self._value([root, place, at])
                    entries.append(_hashed(one.type.entry_type, entry))
                parts.append(keccak(b"".join(entries)))
            else:
                parts.append(_hashed(one.type, value))
        return keccak(b"".join(parts))

    def _value(self, path: list[int]) -> Asking:
        self.values += 1
        answer = yield messages.EthereumTypedDataValueRequest(member_path=path)
        return bytes(answer.value)


def sign(account: LocalAccount, data: dict[str, Any]) -> Signed:
    """Let the simulated device sign typed data that its makers' code hands it."""
    device = Device(account)
    made: Any = ethereum.sign_typed_data(device, [], data)  # type: ignore[arg-type]
    return Signed(made.signature, device.values, device.round_trips)
