"""Examines folder and machine: permissions, store, space, speed of the disk, limits, versions."""

import os
import platform
import resource
import shutil
import stat
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Final

from sayso_node.doctor.diagnosis import Diagnosis, fail, ok, warn
from sayso_node.doctor.stores import examine_store
from sayso_node.errors import FolderInUse
from sayso_node.folder.addresses import unreached
from sayso_node.folder.config import NodeConfig
from sayso_node.folder.lock import NodeFolder
from sayso_node.folder.settings import CONFIG_FILE
from sayso_node.web.names import faults_of
from sayso_protocol.primitives import address_text

_MIB: Final = 1_048_576
LOW_SPACE: Final = 2_048 * _MIB
NO_SPACE: Final = 256 * _MIB
FEW_FILES: Final = 4_096  # descriptors: 2,000 connections of users, 300 of peers, and the store's
TOO_FEW_FILES: Final = 1_024
SLOW_FLUSH_S: Final = 0.05  # each revocation waits for one flush
FLUSHES: Final = 9


def examine_machine(
    config: NodeConfig, now: Callable[[], float] = time.perf_counter
) -> Iterator[Diagnosis]:
    """Yield what is found in the folder and on this machine."""
    folder = config.folder
    yield ok("versions", f"sayso {version('sayso')}, Python {platform.python_version()}")
    yield _permissions(folder)
    yield from examine_store(config)
    yield _space(shutil.disk_usage(folder).free)
    yield _speed(folder, now)
    yield _files(resource.getrlimit(resource.RLIMIT_NOFILE)[0])
    yield from _names(config)
    local = [*unreached(config.settings)]
    for one in local:
        yield warn("addresses", one.text, f"set {one.setting} in node.toml")
    if not local:
        yield ok("addresses", "others can be told where this node is")


def _names(config: NodeConfig) -> Iterator[Diagnosis]:
    """What people are shown instead of addresses."""
    names = config.network_file.names
    faults = faults_of(names)
    for one in names:
        if fault := faults[one.address]:
            text = f"{address_text(one.address)} is an unknown company to people: {one.name!r}: {fault}"
            yield warn("names", text, "correct [[names]] in the network file, and start the node anew")
    if names and not any(faults.values()):
        yield ok("names", "each is in one script, and none looks like another")


def is_running(folder: Path) -> bool:
    """Return whether a process runs a node in this folder."""
    other = NodeFolder(folder)
    try:
        other.lock()
    except FolderInUse:
        return True
    other.release()
    return False


def _permissions(folder: Path) -> Diagnosis:
    """The keys were looked at when the settings were read."""
    for path, bits in ((folder, stat.S_IWGRP | stat.S_IWOTH), (folder / CONFIG_FILE, stat.S_IRWXO)):
        if stat.S_IMODE(path.stat().st_mode) & bits:
            text = f"{path} is open to other users of this machine"
            return warn("permissions", text, f"chmod go-w,o-rwx {path}: endpoints in it may hold a key")
    if not os.access(folder, os.W_OK):
        return fail("permissions", f"{folder} cannot be written", "run as the user who owns the folder")
    return ok("permissions", "keys and settings are for their owner alone")


def _space(free: int) -> Diagnosis:
    text = f"{free // _MIB:,} MiB are free"
    if free < NO_SPACE:
        return fail("space", text, "make room: a full disk stops the node")
    if free < LOW_SPACE:
        return warn("space", text, "make room before the disk is full")
    return ok("space", text)


def _speed(folder: Path, now: Callable[[], float]) -> Diagnosis:
    took = []
    try:
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".doctor-") as file:
            for _ in range(FLUSHES):
                begun = now()
                file.write(bytes(4_096))
                file.flush()
                os.fsync(file.fileno())
                took.append(now() - begun)
    except OSError as error:
        return fail("disk", f"it cannot be written: {error.strerror}", "make the folder writable")
    flush = statistics.median(took)
    text = f"a flush takes {flush * 1_000:.1f} ms"
    if flush > SLOW_FLUSH_S:
        return warn("disk", text, "use a disk of its own: each revocation waits for one flush")
    return ok("disk", text)


def _files(soft: int) -> Diagnosis:
    text = f"{soft} files may be open"
    if soft != resource.RLIM_INFINITY and soft < TOO_FEW_FILES:
        return fail("files", text, f"raise the limit to {FEW_FILES} at least (LimitNOFILE, ulimit -n)")
    if soft != resource.RLIM_INFINITY and soft < FEW_FILES:
        return warn("files", text, f"raise the limit to {FEW_FILES} (LimitNOFILE, ulimit -n)")
    return ok("files", text)
