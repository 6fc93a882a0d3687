"""What a wallet on another phone sees of the page's QR codes: a picture, read by jsqr."""

import io
import re
import subprocess
from pathlib import Path
from typing import Final, NamedTuple

from PIL import Image

WEB: Final = Path(__file__).parents[2] / "node" / "web"
LINK: Final = re.compile(r"ethereum:(0x[0-9a-fA-F]{40})@(\d+)/revoke\?uint248=(\d+)&uint256=(\d+)")


class Request(NamedTuple):
    """A transaction that EIP-681 asks for: a call of `revoke(uint248,uint256)`."""

    registry: str
    chain_id: int
    word: int
    mask: int


def read_code(picture: bytes) -> str:
    """The text of the QR code in a PNG."""
    assert (WEB / "node_modules" / "jsqr").is_dir(), "run `make page`, which installs what it needs"
    image = Image.open(io.BytesIO(picture)).convert("RGBA")
    command = ["node", "test/qr.mjs", str(image.width), str(image.height)]
    done = subprocess.run(
        command, cwd=WEB, input=image.tobytes(), capture_output=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


def read_request(link: str) -> Request:
    """The transaction that the link of a code asks for."""
    found = LINK.fullmatch(link)
    assert found, link
    return Request(found[1], int(found[2]), int(found[3]), int(found[4]))
