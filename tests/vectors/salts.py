"""Salted item hashes of private data (rule 1.5.1)."""

from typing import Any

from sayso_protocol.primitives import hex_text, salted_item, sha256


def salts() -> list[dict[str, Any]]:
    """Bytes, salt, and both item hashes; salts of 16 and of 32 bytes."""
    cases = [
        (b"", bytes(range(32))),
        (b"hello", bytes(range(32, 64))),
        (b"hello", bytes(16)),
        (bytes(1_000), b"\xff" * 32),
    ]
    return [
        {
            "bytes": hex_text(data),
            "salt": hex_text(salt),
            "plain": hex_text(sha256(data)),
            "item": hex_text(salted_item(salt, sha256(data))),
        }
        for data, salt in cases
    ]
