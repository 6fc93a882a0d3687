"""Gate: whether rows may be used for one purpose, by one grantee, asked of nodes or of files at hand.

    with Gate("anyone", "train-ai", nodes=["https://north.example"], network="network.toml") as gate:
        result = gate.check(Path("data.parquet"), GateFiles(kept=Path("kept.parquet")))
        clear = gate.filter(table)

A gate can be sent to another process: it opens what it needs there. It is used by one thread at a time.
"""

import asyncio
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from sayso.errors import NothingToAsk
from sayso.gate.fetching import FindLicenses, NodeLicenses
from sayso.gate.formats.base import Columns, FindLicense
from sayso.gate.formats.opening import open_source
from sayso.gate.judges.base import Evidence, Judge
from sayso.gate.judges.nodes import NodesJudge
from sayso.gate.judges.offline import OfflineJudge
from sayso.gate.judges.verdicts import Verdicts
from sayso.gate.licenses import LicenseBundle, load_licenses
from sayso.gate.looping import LoopThread
from sayso.gate.names import find_columns
from sayso.gate.records.record import Record
from sayso.gate.running import GateFiles, Progress, run
from sayso.gate.streams import Lost
from sayso.gate.watching import Hit, Watch, Watched
from sayso.networks import DEFAULT_FILE, first_url, load_network
from sayso.outputs import clear
from sayso_protocol.encoding.row_tree import ROW_BYTES
from sayso_protocol.network_file import NetworkFile
from sayso_protocol.primitives import ANYONE, address_from_text
from sayso_protocol.receipts.question import Question
from sayso_protocol.verdicts.verdict import Query, Reason

if TYPE_CHECKING:
    import pyarrow as pa


class Gate:
    """Gate judges rows for one question.

    Args:
        grantee: Who wants to use the data: an address, or `anyone`.
        purpose: What for.
        network: The network file, or the path of one.
        nodes: URLs to ask; each answers for every row. Without any, and without `offline`, the first
            of the network file.
        offline: Snapshots to look in instead, with the `bundle`.
        bundle: Signed consents beside the data: a file or a folder.
        rpc: A JSON-RPC endpoint of the chain, to look for what every node may have left out.
        max_age_s: The oldest view of chain and peers that is accepted, seconds.
        run_id: Your name for the run; random if there is none.
        wait_s: For how long to ask again while rows are stale, seconds.
        license_column, item_column: Where the hashes are, if not under a usual name.

    Raises:
        InvalidAddress, InvalidPurpose, InvalidNetworkFile: The question is none.
        NothingToAsk: There is neither a node nor a snapshot.
    """

    def __init__(
        self,
        grantee: bytes | str,
        purpose: str,
        *,
        network: NetworkFile | Path | str = DEFAULT_FILE,
        nodes: Sequence[str] = (),
        offline: Sequence[Path | str] = (),
        bundle: Path | str | None = None,
        rpc: str | None = None,
        max_age_s: int = 60,
        run_id: str | None = None,
        wait_s: float = 0.0,
        license_column: str | None = None,
        item_column: str | None = None,
    ) -> None:
        self.trusted = network if isinstance(network, NetworkFile) else load_network(Path(network))
        query = Query(_address(grantee), purpose)
        self.question = Question(query, max_age_s, run_id or secrets.token_hex(16))
        self._wait_s = wait_s
        self.columns = Columns(license_column, item_column)
        self._nodes = tuple(dict.fromkeys(one.rstrip("/") for one in nodes))
        self._offline = tuple(Path(one) for one in offline)
        self._bundle = Path(bundle) if bundle is not None else None
        self._rpc = rpc
        given = (bundle, None if isinstance(network, NetworkFile) else network)
        self._inputs = [*self._offline, *(Path(one) for one in given if one is not None)]
        self._check_sources()
        self._judge: Judge | None = None
        self._held: LicenseBundle | None = None
        self._finder: FindLicense | None = None
        self._loop: LoopThread | None = None

    def _check_sources(self) -> None:
        if self._nodes and self._offline:
            raise NothingToAsk("ask nodes or look in snapshots, not both: a run has one judge")
        if not self._nodes and not self._offline:
            url = first_url(self.trusted)
            if url is None:
                raise NothingToAsk("no node and no snapshot is named, and the network file has no URL")
            self._nodes = (url,)
        if self._offline and self._rpc:
            raise NothingToAsk("a check offline asks nobody, so no chain endpoint either")
        if self._offline and self._bundle is None:
            raise NothingToAsk("offline, the consents must be at hand: sayso bundle pull")

    def __getstate__(self) -> dict[str, Any]:
        """Without connections: they are opened again where they are needed."""
        return {**self.__dict__, **dict.fromkeys(("_judge", "_loop", "_held", "_finder"))}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of connections and files; the gate opens them again when it is asked."""
        judge, self._judge = self._judge, None
        if judge:
            judge.close()
        loop, self._loop = self._loop, None
        if loop:
            loop.close()

    @property
    def judge(self) -> Judge:
        """Whoever answers; opened when it is first needed. Raises what opening it raises."""
        if self._judge is None:
            self._judge = self._open()
        return self._judge

    def _open(self) -> Judge:
        if self._offline:
            return OfflineJudge(self._offline, self._licenses, self.trusted, self.question)
        self._loop = self._loop or LoopThread()
        nodes = NodesJudge(self._nodes, self.trusted, self.question, self._loop, self._wait_s)
        if self._rpc is None:
            return nodes
        from sayso.gate.judges.onchain import ChainJudge  # noqa: PLC0415 - needs the chain extra

        find = self._find_licenses()
        return ChainJudge(nodes, self._rpc, find, self.trusted, self.question, self._loop, self._wait_s)

    def _find_licenses(self) -> FindLicenses:
        """From the bundle, else from the nodes: what is signed can come from anybody."""
        if self._bundle is not None:
            return lambda _rows: self._licenses()
        assert self._loop  # noqa: S101 - opened before
        return NodeLicenses(self._nodes, self.trusted, self._loop)

    def _find_license(self) -> FindLicense | None:
        """For data that names no licenses itself."""
        if self._bundle is None:
            return None

        def find(item: bytes) -> bytes | None:
            if self._finder is None:
                self._finder = self._licenses().finder(self.question.query, time.time())
            return self._finder(item)

        return find

    def _licenses(self) -> LicenseBundle:
        """The bundle, read and verified when it is first needed."""
        if self._held is None:
            assert self._bundle  # noqa: S101 - asked for only where there is one
            self._held = load_licenses(self._bundle, self.trusted.network)
        return self._held

    def evidence(self) -> Evidence:
        """What the answers so far rely on."""
        return self.judge.evidence()

    def rows(self, rows: bytes) -> Verdicts:
        """The reason of each joined row: license . item, 64 bytes each."""
        judge, step = self.judge, self.judge.part_rows * ROW_BYTES
        parts = [judge.judge(rows[at : at + step]).numbers for at in range(0, len(rows), step)]
        return Verdicts(b"".join(parts))

    def batch(self, batch: "pa.RecordBatch | pa.Table") -> Verdicts:
        """The reason of each row of an Arrow batch: the function that every adapter uses.

        A row whose license or item is null, or no hash, is `unknown`: it is never asked about.

        Raises:
            BadManifest: There are no columns with hashes. And what the judge raises.
        """
        from sayso.gate.columns import join_columns  # noqa: PLC0415 - needs the data extra

        names = find_columns(batch.schema.names, self.columns.license, self.columns.item)
        rows, named = join_columns(*(batch.column(name) for name in names))
        if named.all():
            return self.rows(rows.tobytes())
        numbers = np.full(len(rows), Reason.UNKNOWN.number, np.uint8)
        numbers[named] = self.rows(rows[named].tobytes()).numbers
        return Verdicts(numbers)

    def filter(self, data: Any) -> Any:
        """The clear rows of a RecordBatch, a Table or a RecordBatchReader, as the same kind.

        Of a reader the batches are judged as they are read. Raises what `batch` raises.
        """
        import pyarrow as pa  # noqa: PLC0415 - needs the data extra

        if isinstance(data, pa.RecordBatchReader):
            clear = (self.filter(one) for one in data)
            return pa.RecordBatchReader.from_batches(data.schema, clear)
        return data.filter(pa.array(self.batch(data).clear))

    def check(
        self,
        manifest: Path | str,
        files: GateFiles | None = None,
        progress: Progress | None = None,
        begun: Callable[[int, str], object] | None = None,
    ) -> Record:
        """Judge a manifest and write the files, all or none of them.

        Files of these names from an earlier run are removed first: they never pass for a result of this.

        Args:
            manifest: A file, or a folder of files of one format.
            files: Where results go.
            begun: Told how much there is to read, and in which unit, before the first row is.
            progress: Told how much more of it is done.

        Raises:
            BadManifest, FileUnreadable, ManifestChanged: The manifest is none, or changed.
            OutputIsInput: A file is named where an input is, or inside one.
            OutputFailed: A file cannot be written. And what the judge raises.
        """
        from sayso.gate.records.junit import junit  # noqa: PLC0415 - only where it is wanted
        from sayso.gate.records.report import html  # noqa: PLC0415

        files = files or GateFiles()
        clear(files.paths, inputs=[Path(manifest), *self._inputs])
        source = open_source(Path(manifest), replace(self.columns, find=self._find_license()))
        if begun:
            begun(*source.size)
        record = Record(
            self.trusted.network, self.question, str(manifest), source.name, int(time.time())
        )
        renders = {"report": html, "junit": junit}
        progress = progress or (lambda _done: None)
        run(source, self.judge, record, files, renders, progress)
        return record

    async def watch(
        self,
        manifest: Path | str,
        call: Callable[[Hit], object],
        after: Mapping[str, str] | None = None,
        lost: Lost = lambda _url: None,
    ) -> None:
        """Call back with rows of a manifest as they become revoked, whichever node hears it; for ever.

        Args:
            manifest: As for `check`.
            call: Is given each hit, and one without rows when a check of all found nothing new.
            after: Where an earlier watch was (Hit.after); else, and where it lacks a node, all rows are
                checked first.
            lost: Told the URL of a node that cannot be heard just now; it is tried again.

        Raises:
            NothingToAsk: The gate is offline. And what `check` and `follow` raise.
        """
        if self._offline:
            raise NothingToAsk("to watch, name a node: a snapshot tells nothing new")
        source = open_source(Path(manifest), replace(self.columns, find=self._find_license()))
        rows = b"".join([batch.rows for batch in source.batches(self.judge.part_rows)])
        held = await asyncio.to_thread(self._find_licenses(), rows)
        watched = Watched(rows, held.held, self.question.query)

        def check(rows: bytes) -> bytes:
            return self.rows(rows).numbers.tobytes()

        await Watch(self._nodes, watched, rows, check, call, lost).run(after or {})


def _address(grantee: bytes | str) -> bytes:
    if isinstance(grantee, bytes):
        return grantee
    return ANYONE if grantee == "anyone" else address_from_text(grantee)
