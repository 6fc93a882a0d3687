"""libp2p reads no P-256 key of a peer: with our fastecdsa it could not (ADR 0018)."""

import pytest
from libp2p.crypto.ed25519 import create_new_key_pair
from libp2p.crypto.exceptions import MissingDeserializerError
from libp2p.crypto.keys import KeyType
from libp2p.crypto.pb import crypto_pb2
from libp2p.crypto.serialization import deserialize_public_key


def test_no_peer_can_be_known_by_a_p256_key() -> None:
    for kind in (KeyType.ECDSA, KeyType.ECC_P256):
        key = crypto_pb2.PublicKey(key_type=kind.value, data=b"\4" + bytes(64))
        with pytest.raises(MissingDeserializerError):
            deserialize_public_key(key.SerializeToString())


def test_an_ed25519_key_is_read() -> None:
    key = create_new_key_pair().public_key
    assert deserialize_public_key(key.serialize()) == key
