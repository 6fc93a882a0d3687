"""A shop whose node is a closed port: taking and selling never need one."""

from pathlib import Path

import pytest

from cli.marketplace.shop import ORIGIN, Shop
from sayso_protocol.network_file import NetworkFile
from support.node_rig import NOW
from support.protocol_strategies import NETWORK

TRUSTED = NetworkFile(NETWORK, 1, 2, ())


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path / "shop", TRUSTED, lambda: NOW, origins=[ORIGIN])
