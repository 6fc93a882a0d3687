"""Explanation of bytes: messages, statements of nodes, and network files."""

import base64
import binascii
from collections.abc import Iterable, Sequence
from typing import Final

from sayso.explain.messages import explain_envelope
from sayso.explain.sentences import Explanation
from sayso.explain.statements import explain_network_file, explain_statement
from sayso.gate.formats.json_rows import STRICT
from sayso_protocol.encoding.json_text import parse_json
from sayso_protocol.errors import InvalidNetworkFile, Malformed, TooLarge
from sayso_protocol.messages.envelope import Envelope, decode_stated
from sayso_protocol.messages.wire import decode_bundle
from sayso_protocol.network_file import NetworkFile, parse_network_file

_ARRAYS: Final = (*range(0x90, 0xA0), 0xDC, 0xDD)  # first bytes of a msgpack array (6.1)


def explain(
    data: bytes, trusted: NetworkFile | None, consents: Iterable[Envelope], now: float, most: int
) -> list[Explanation]:
    """Explain each signed message, statement of a node or network file in some bytes.

    Args:
        data: A bundle, an envelope, JSON or TOML.
        trusted: The network file, or None.
        consents: Consents that a revocation may hit, besides the consents in the data.
        now: Seconds since the epoch.
        most: The largest accepted size, bytes.

    Raises:
        Malformed: The data has none of these formats; and the errors of an invalid message.
        TooLarge: The data exceeds `most` bytes.
    """
    if len(data) > most:
        raise TooLarge(f"more than {most:,} bytes")
    if data[:1] and data[0] in _ARRAYS:
        return _explain_all(read_envelopes(data, most), trusted, consents, now)
    if data.lstrip()[:1] in {b"{", b"["}:
        try:
            value = parse_json(data, STRICT)
        except Malformed as error:
            raise Malformed(f"this is not one JSON value with one meaning: {error}") from error
        if isinstance(value, dict) and isinstance(value.get("envelope"), str):
            return _explain_all([_from_answer(value["envelope"])], trusted, consents, now)
        return [
            explain_statement(one, trusted) for one in (value if isinstance(value, list) else [value])
        ]
    return [explain_network_file(_network_file(data))]


def _explain_all(
    envelopes: Sequence[Envelope], trusted: NetworkFile | None, consents: Iterable[Envelope], now: float
) -> list[Explanation]:
    known = [*envelopes, *consents]
    return [explain_envelope(one, trusted, known, now) for one in envelopes]


def read_envelopes(data: bytes, most: int) -> list[Envelope]:
    """Read the messages of a bundle or envelope of any network, without checking signatures."""
    try:
        bundle = decode_bundle(data, most)
    except Malformed:
        bundle = [data]
    return [decode_stated(one) for one in bundle]


def _from_answer(text: str) -> Envelope:
    """Read the envelope in a node's answer about a license."""
    try:
        return decode_stated(base64.b64decode(text, validate=True))
    except binascii.Error as error:
        raise Malformed("its envelope is not base64") from error


def _network_file(data: bytes) -> NetworkFile:
    try:
        return parse_network_file(data.decode())
    except (UnicodeDecodeError, InvalidNetworkFile) as error:
        why = "this is not a message, statement of a node or network file"
        is_toml = b"chain_id" in data  # the fault of a file of another kind would tell nobody anything
        raise Malformed(f"{why} ({error})" if is_toml else why) from error
