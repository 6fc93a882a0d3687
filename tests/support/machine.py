"""What some tests need of the machine: in CI it has to be there, elsewhere they are skipped."""

import os
import shutil
import subprocess
from unittest import SkipTest

BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def chromium() -> str:
    """The path of the browser."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    return found or lacks("Chromium (Debian: apt-get install chromium)")


def need(command: str, package: str = "") -> None:
    """A command, which Debian packages under its own name unless told otherwise."""
    if shutil.which(command) is None:
        lacks(f"{command} (Debian: apt-get install {package or command})")


def need_networks() -> None:
    """Root that may make network namespaces, and `ip`."""
    command = ["unshare", "--net", "ip", "link", "show", "lo"]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        lacks("root on Linux, with ip (Debian: apt-get install iproute2)")


def lacks(what: str) -> str:
    """Skip the test, or fail it in CI."""
    if os.environ.get("CI") == "true":
        raise AssertionError(f"this test needs {what}")
    raise SkipTest(f"needs {what}")
