"""Gate: judges whether one grantee may use rows for one purpose, with nodes or with local files.

    with Gate("anyone", "train-ai", nodes=["https://north.example"], network="network.toml") as gate:
        result = gate.check(Path("data.parquet"), GateFiles(kept=Path("kept.parquet")))
        clear = gate.filter(table)

A gate can be sent to another process, where it opens its own connections. One thread uses it at a time.
"""

import asyncio
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

from sayso.errors import NothingToAsk
from sayso.gate.fetching import FindLicenses, NodeLicenses
from sayso.gate.formats.base import Columns, Dialect, Source
from sayso.gate.formats.batches import BatchGate
from sayso.gate.formats.opening import Manifest, open_source
from sayso.gate.judges.base import Evidence, Judge
from sayso.gate.judges.nodes import NodesJudge
from sayso.gate.judges.offline import OfflineJudge
from sayso.gate.judges.verdicts import Verdicts
from sayso.gate.licenses import HeldBundle
from sayso.gate.looping import LoopThread
from sayso.gate.policy import PolicyGate, address_of
from sayso.gate.records.record import Record
from sayso.gate.running import GateFiles, Progress
from sayso.gate.watching import Hit, Watch, Watched
from sayso.networks import DEFAULT_FILE, first_url, load_network
from sayso.node_client.following import Lost
from sayso_protocol.encoding.row_tree import ROW_BYTES
from sayso_protocol.network_file import NetworkFile
from sayso_protocol.receipts.question import Question
from sayso_protocol.verdicts.query import Query


class Gate(BatchGate, PolicyGate):
    """Gate judges rows for one question.

    Args:
        grantee: The address that wants to use the data, or `anyone`.
        purpose: The purpose of the use.
        network: The network file, or its path.
        nodes: URLs of nodes, each of which answers for every row. The default without `offline` is the
            first node of the network file.
        offline: Snapshots to use instead of nodes, together with `bundle`.
        bundle: The license bundle: a file or a folder.
        rpc: A JSON-RPC endpoint of the chain, to find revocations that every node omits.
        max_age_s: The oldest accepted view of chain and peers, seconds.
        run_id: The run's name; random by default.
        wait_s: How long to repeat the check while rows are stale, seconds.
        run_until: When the run ends, seconds since the epoch; rows that do not last so long are `stale`.
        heed: The addresses whose disputes count; by default those that each node heeds.
        license_column, item_column: The columns of the hashes, if they have no usual name.
        dialect: How manifests are read, where readers disagree.
        stdin_format: The ending of a name that would say the format of standard input.
        bytes_column: The column of files or values whose hashes the items must be (see check_bytes).

    Raises:
        InvalidAddress, InvalidPurpose, InvalidNetworkFile: An argument is invalid.
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
        run_until: int = 0,
        heed: Iterable[bytes | str] | None = None,
        license_column: str | None = None,
        item_column: str | None = None,
        dialect: Dialect | None = None,
        stdin_format: str = "jsonl",
        bytes_column: str | None = None,
    ) -> None:
        self.trusted = network if isinstance(network, NetworkFile) else load_network(Path(network))
        listed = None if heed is None else tuple(sorted({*map(address_of, heed)}))
        query = Query(address_of(grantee), purpose, listed)
        self._run_id = run_id
        self.question = Question(query, max_age_s, run_id or secrets.token_hex(16), run_until=run_until)
        self._wait_s, self._stdin_ending = wait_s, f".{stdin_format}"
        self._bytes_column = bytes_column
        self.columns = Columns(license_column, item_column, None, dialect or Dialect())
        self._nodes = tuple(dict.fromkeys(one.rstrip("/") for one in nodes))
        self._offline = tuple(Path(one) for one in offline)
        place = (self.trusted.network, self.question.query)
        self._bundle = HeldBundle(Path(bundle), *place) if bundle is not None else None
        self._rpc = rpc
        given = (bundle, None if isinstance(network, NetworkFile) else network)
        self._inputs = [*self._offline, *(Path(one) for one in given if one is not None)]
        self._check_sources()
        self._judge: Judge | None = None
        self._loop: LoopThread | None = None

    def _check_sources(self) -> None:
        if self._nodes and self._offline:
            raise NothingToAsk("a run uses either nodes or snapshots, not both")
        if not self._nodes and not self._offline:
            self._nodes = tuple(filter(None, [first_url(self.trusted)]))
            if not self._nodes:
                raise NothingToAsk("name a node or a snapshot; the network file has no URL")
        if self._offline and self._rpc:
            raise NothingToAsk("an offline check cannot use a chain endpoint")
        if self._offline and self._bundle is None:
            raise NothingToAsk("an offline check needs the consents: sayso bundle pull")

    def __getstate__(self) -> dict[str, Any]:
        """Return the state without connections, which the gate opens again on first use."""
        return {**self.__dict__, **dict.fromkeys(("_judge", "_loop"))}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Close connections and files; the gate opens them again on the next use."""
        judge, self._judge = self._judge, None
        if judge:
            judge.close()
        loop, self._loop = self._loop, None
        if loop:
            loop.close()

    @property
    def judge(self) -> Judge:
        """Return the judge, opened on first use; raises the errors of its constructor."""
        if self._judge is None:
            self._judge = self._open()
        return self._judge

    def _open(self) -> Judge:
        if self._offline:
            assert self._bundle  # noqa: S101 - see _check_sources
            licenses = self._bundle.licenses
            return OfflineJudge(self._offline, licenses, self.trusted, self.question)
        self._loop = self._loop or LoopThread()
        nodes = NodesJudge(self._nodes, self.trusted, self.question, self._loop, self._wait_s)
        if self._rpc is None:
            return nodes
        from sayso.gate.judges.onchain import ChainJudge  # noqa: PLC0415 - needs the chain extra

        find = self._find_licenses()
        return ChainJudge(nodes, self._rpc, find, self.trusted, self.question, self._loop, self._wait_s)

    def _find_licenses(self) -> FindLicenses:
        """Return consents from the bundle, else from the nodes; all are verified."""
        if self._bundle is not None:
            held = self._bundle
            return lambda _rows: held.licenses()
        assert self._loop  # noqa: S101 - opened before
        return NodeLicenses(self._nodes, self.trusted, self._loop)

    def open(self, manifest: Manifest) -> Source:
        """Open a manifest, without judging it; raises BadManifest, FileUnreadable, ExtraMissing."""
        return open_source(
            manifest, replace(self.columns, find=self._bundle.find if self._bundle else None)
        )

    def evidence(self) -> Evidence:
        """Return the evidence of all answers so far."""
        return self.judge.evidence()

    def rows(self, rows: bytes) -> Verdicts:
        """Judge joined rows (license . item, 64 bytes each); returns a reason for each."""
        judge, step = self.judge, self.judge.part_rows * ROW_BYTES
        parts = [judge.judge(rows[at : at + step]).numbers for at in range(0, len(rows), step)]
        return Verdicts(b"".join(parts))

    def check(
        self,
        manifest: Manifest,
        files: GateFiles | None = None,
        progress: Progress | None = None,
        begun: Callable[[int, str], object] | None = None,
        since: Path | str | None = None,
        resume: Path | str | None = None,
    ) -> Record:
        """Judge a manifest and write the output files, all or none.

        Earlier files of these names are removed first, so that none passes for a result of this run.

        Args:
            manifest: A file, a folder of files of one format, a pattern, several files, URLs, or `-`.
            files: The output files.
            begun: Called before the first row with the amount to read and its unit.
            progress: Called with each further amount that is done.
            since: The record of an earlier check with an index; what is untouched is not judged again.
            resume: The file of progress, of a check that was killed or of this one; removed at the end.

        Raises:
            BadManifest, FileUnreadable, ManifestChanged: The manifest is invalid, unreadable or changed.
            NothingToAsk: An index is asked for without a receipt, or of nodes.
            OtherFormat, OutputIsInput: An output has the name of another format, or of an input.
            OutputFailed: A file cannot be written. See the judge and `staged` for other errors.
        """
        from sayso.gate.checking import Checking  # noqa: PLC0415 - only if requested
        from sayso.gate.records.junit import junit  # noqa: PLC0415
        from sayso.gate.records.report import html  # noqa: PLC0415

        checking = Checking(
            self.trusted,
            self.question,
            self.columns,
            self._offline,
            self._bundle,
            lambda: self.judge,
            {"report": html, "junit": junit},
            progress or (lambda _done: None),
            self.open,
            self._inputs,
            self._stdin_ending,
            self._bytes_column,
            [*self._nodes, self._rpc or ""],
            self._run_id,
            self._named,
        )
        earlier, journal = (None if one is None else Path(one) for one in (since, resume))
        return checking.check(manifest, files or GateFiles(), begun, earlier, journal)

    def _named(self, run_id: str) -> Question:
        """Give the run the name that it had before it was killed."""
        self.close()
        self.question = replace(self.question, run_id=run_id)
        return self.question

    async def watch(
        self,
        manifest: Manifest,
        call: Callable[[Hit], object],
        after: Mapping[str, str] | None = None,
        lost: Lost = lambda _url: None,
    ) -> None:
        """Watch a manifest for ever, and report its rows as they stop being clear (see Hit).

        Args:
            manifest: See `check`.
            call: Called with each hit, and with a hit without rows after a full check found nothing new.
            after: The position of an earlier watch (Hit.after). Without it, or if it lacks a node, all
                rows are checked first.
            lost: Called with the URL of a node that cannot be reached; the watch tries again.

        Raises:
            NothingToAsk: The gate is offline. See `check` and `follow` for other errors.
        """
        if self._offline:
            raise NothingToAsk("watching needs a node, because a snapshot does not change")
        source = self.open(manifest)
        rows = b"".join([batch.rows for batch in source.batches(self.judge.part_rows)])
        held = await asyncio.to_thread(self._find_licenses(), rows)
        assert self._loop  # noqa: S101 - opened before
        nodes = NodeLicenses(self._nodes, self.trusted, self._loop)
        passed = await asyncio.to_thread(nodes.chains, held.held, self.question.query)
        seen = Watched(rows, held.held, passed, self.question.query)
        await Watch(self._nodes, self.trusted, seen, rows, self._numbers_of, call, lost).run(after or {})

    def _numbers_of(self, rows: bytes) -> bytes:
        return self.rows(rows).numbers.tobytes()
