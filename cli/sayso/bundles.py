"""Bundle files: signed messages that any node takes, saved to be sent later or by somebody else."""

from collections.abc import Sequence
from pathlib import Path

from sayso.errors import FileUnreadable
from sayso.outputs import write_file
from sayso_protocol.envelope import Envelope, decode, encode
from sayso_protocol.signatures import EoaVerifier
from sayso_protocol.typed_data import Network
from sayso_protocol.wire import decode_bundle, encode_bundle

MAX_BYTES = 4 * 1024 * 1024


def save_bundle(path: Path, envelopes: Sequence[Envelope]) -> None:
    """Write the messages as one bundle; raises OutputFailed."""
    write_file(path, encode_bundle([encode(one) for one in envelopes]))


def load_bundle(path: Path, network: Network) -> list[Envelope]:
    """Read a bundle and check every signature.

    Raises:
        FileUnreadable: The file cannot be read.
        BadSignature: A wallet did not sign what its message says. And what decode raises.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise FileUnreadable(f"cannot read {str(path)!r}: {error.strerror}") from error
    envelopes = [decode(one, network) for one in decode_bundle(data, MAX_BYTES)]
    for envelope in envelopes:
        envelope.check_signatures(EoaVerifier())
    return envelopes
