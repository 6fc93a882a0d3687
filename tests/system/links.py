"""Connections that are slow, lose something now and then, or are cut: between two nodes, one way."""

import asyncio
import contextlib
import random
from dataclasses import dataclass, field
from typing import Final

CHUNK: Final = 65_536
RESENT_S: Final = 0.2  # how long TCP waits before it sends again what was lost (RFC 6298 asks for more)


@dataclass
class Weather:
    """What happens to what goes through; it may change at any time.

    Attributes:
        delay_s: How long everything takes, seconds.
        lost: Which part of the packets is lost, and comes later.
        open: Cleared while nothing goes through at all; nobody is told, as when a cable is cut.
    """

    delay_s: float = 0.0
    lost: float = 0.0
    open: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        """At first, it is open."""
        self.open.set()


class Link:
    """Listens where one node dials, and connects to where the other listens."""

    def __init__(self, listens: tuple[str, int], leads_to: tuple[str, int], weather: Weather) -> None:
        self._listens, self._leads_to = listens, leads_to
        self.weather = weather
        self._chance = random.Random(repr((listens, leads_to)))
        self._server: asyncio.Server | None = None
        self._under_way: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Listen."""
        host, port = self._listens
        self._server = await asyncio.start_server(self._serve, host, port)

    async def stop(self) -> None:
        """Close everything."""
        assert self._server
        self._server.close()
        for task in self._under_way:
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._under_way.add(task)
        try:
            await self.weather.open.wait()
            with contextlib.suppress(OSError):
                there, back = await asyncio.open_connection(*self._leads_to)
                try:
                    async with asyncio.TaskGroup() as group:
                        group.create_task(self._pump(reader, back))
                        group.create_task(self._pump(there, writer))
                finally:
                    back.close()
        except* OSError:
            pass
        finally:
            self._under_way.discard(task)
            writer.close()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry one direction: in order, each piece after its delay, until either side closes."""
        pieces: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
        carrying = asyncio.create_task(self._deliver(pieces, writer))
        try:
            while piece := await reader.read(CHUNK):
                pieces.put_nowait((self._due(), piece))
            pieces.put_nowait((self._due(), b""))
            await carrying
        finally:
            carrying.cancel()

    def _due(self) -> float:
        late = RESENT_S if self._chance.random() < self.weather.lost else 0.0
        return asyncio.get_running_loop().time() + self.weather.delay_s + late

    async def _deliver(
        self, pieces: "asyncio.Queue[tuple[float, bytes]]", writer: asyncio.StreamWriter
    ) -> None:
        while True:
            due, piece = await pieces.get()
            await asyncio.sleep(due - asyncio.get_running_loop().time())
            await self.weather.open.wait()
            if not piece:
                writer.close()
                return
            writer.write(piece)
            await writer.drain()
