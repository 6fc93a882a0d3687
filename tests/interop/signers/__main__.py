"""Runs all wallets, and writes the figures and docs/reference/wallets.md."""

import asyncio
import tempfile
from pathlib import Path

from interop.signers.keys import keys
from interop.signers.page import write
from interop.signers.story import all_stories

with tempfile.TemporaryDirectory() as folder:
    write({"keys": keys(), "chain": asyncio.run(all_stories(Path(folder)))})
