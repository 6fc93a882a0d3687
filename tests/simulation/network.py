"""The network between machines: connections with a delay each, and everything that goes wrong on them.

A frame of gossip goes to every connected neighbour, who passes it on if its node says so. A request
goes to one and comes back. Who is connected is not the same as who can be heard: a cut is noticed only
after a while, and it may be a cut in one direction.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from random import Random
from typing import Any, NamedTuple

from sayso_node.errors import GossipDown, GossipQueueFull, PeerUnreachable
from sayso_node.interfaces import Judgement, PeerState, TransportHandlers
from sayso_protocol.errors import SaysoError
from simulation.loop import Owner, context_of

REMEMBERED_FRAMES = 4_096
NOTICED_S = (1.0, 15.0)  # until a dead connection is taken for dead
REDIAL_S = (0.2, 4.0)
HEARTBEAT_S = 0.5  # of those who look after connections


class Frame(NamedTuple):
    """A frame of gossip on its way; the name is that of gossipsub: who published it, and a number."""

    publisher: str
    number: int
    topic: str
    body: bytes


@dataclass
class Weather:
    """What is wrong with the whole network.

    Attributes:
        loss: Share of frames that are lost on each hop.
        duplication: Share of frames that come again as another's.
        jitter_s: Mean of what is added to each delay, so that things overtake each other.
        failure: Share of requests that break off.
    """

    loss: float = 0.0
    duplication: float = 0.0
    jitter_s: float = 0.001
    failure: float = 0.0


@dataclass
class Link:
    """Two neighbours; a direction that is cut delivers nothing and says nothing."""

    ends: tuple["Port", "Port"]
    delay_s: float
    connected: bool = False
    cut: set[str] = field(default_factory=set)  # the sender's name
    changes_at: float = 0.0  # when the next change of `connected` may happen
    under_way: dict[asyncio.Future[bytes], None] = field(default_factory=dict)

    def other(self, port: "Port") -> "Port":
        return self.ends[1] if port is self.ends[0] else self.ends[0]

    def works(self) -> bool:
        return not self.cut and all(end.is_up and not end.is_child_down for end in self.ends)


class Port:
    """The Network (sayso_node.interfaces) of one machine, and what its child process would do."""

    def __init__(self, net: "Net", peer_id: str) -> None:
        self.net = net
        self.peer_id = peer_id
        self.links: dict[str, Link] = {}
        self.is_up = False
        self.is_child_down = False
        self.slowness_s = 0.0  # before it answers or judges anything
        self.bend: Callable[[bytes, bytes], Awaitable[bytes]] | None = None  # of a liar: its answers
        self.on_heard: Callable[[Frame], bool] = lambda _frame: True  # False: it goes no further
        self._owner: Owner | None = None
        self._handlers: TransportHandlers | None = None
        self._seen: OrderedDict[tuple[str, int], None] = OrderedDict()
        self._published = 0

    # what the node calls

    async def start(self, handlers: TransportHandlers) -> None:
        self._handlers = handlers
        self.is_up = True

    async def stop(self) -> None:
        self.go_down()

    async def publish(self, topic: str, frame: bytes) -> int:
        if self.is_child_down:
            raise GossipDown("the child is being started again")
        if self.net.random.random() < self.net.weather.failure:
            raise GossipQueueFull("too much waits")
        return self.say(topic, frame)

    async def request(self, peer_id: str, protocol: str, body: bytes, timeout_s: float) -> bytes:
        link = self.links.get(peer_id)
        if link is None or not link.connected or self.is_child_down:
            raise PeerUnreachable(f"{peer_id} is not connected")
        try:
            async with asyncio.timeout(timeout_s):
                return await self.net.exchange(self, link, protocol, body)
        except TimeoutError as error:
            raise PeerUnreachable(f"{peer_id} did not answer in time") from error

    async def peers(self) -> list[PeerState]:
        return [PeerState(one, "", link.connected) for one, link in self.links.items()]

    # what the world calls

    def belongs_to(self, owner: Owner) -> None:
        """Whose tasks serve what comes in from now on."""
        self._owner = owner

    def connected(self) -> list["Port"]:
        return [link.other(self) for link in self.links.values() if link.connected]

    def say(self, topic: str, body: bytes) -> int:
        """Publish a frame; returns to how many."""
        return self.send_new(topic, body, self.connected())

    def send_new(self, topic: str, body: bytes, to: Iterable["Port"]) -> int:
        """Publish a frame to some neighbours only; returns to how many."""
        self._published += 1
        frame = Frame(self.peer_id, self._published, topic, body)
        self._see(frame)
        return self.send(frame, to)

    def send(self, frame: Frame, to: Iterable["Port"]) -> int:
        others = list(to)
        for other in others:
            self.net.carry(self, other, frame)
        return len(others)

    def go_down(self) -> None:
        """At once, without a word; those connected see their connections break."""
        self.is_up = False
        self._handlers = None
        self._seen.clear()
        for link in self.links.values():
            self.net.disconnect(link)

    def lose_child(self) -> None:
        """The peer-to-peer process dies: connections break, and what it has seen is forgotten."""
        self.is_child_down = True
        self._seen.clear()
        for link in self.links.values():
            self.net.disconnect(link)

    def serve(self, work: Callable[[TransportHandlers], Any]) -> Any | None:
        """Do something as this machine; None if it is down."""
        if self._handlers is None or self._owner is None:
            return None
        return context_of(self._owner).run(work, self._handlers)

    def receive(self, frame: Frame, forwarder: "Port") -> None:
        """A frame has arrived: put it to the node, and pass it on if the node says so."""
        if not self.is_child_down and self._see(frame):
            self.serve(lambda handlers: self._task(self._judge(handlers, frame, forwarder)))

    async def answer(self, asking: "Port", protocol: str, body: bytes) -> bytes:
        """As the node answers; raises what it raises."""
        if self._handlers is None:
            raise PeerUnreachable("nobody is there")
        if self.slowness_s:
            await asyncio.sleep(self.slowness_s)
        answered = await self._handlers.on_request(protocol, body, asking.peer_id)
        return await self.bend(body, answered) if self.bend else answered

    def _task(self, work: Any) -> asyncio.Task[Any]:
        task = asyncio.get_running_loop().create_task(work)
        task.add_done_callback(self.net.on_served)
        return task

    async def _judge(self, handlers: TransportHandlers, frame: Frame, forwarder: "Port") -> None:
        if self.slowness_s:
            await asyncio.sleep(self.slowness_s)
        judgement = await handlers.on_frame(frame.topic, frame.body, forwarder.peer_id)
        self.net.on_judged(self, forwarder, frame, judgement)
        if judgement is Judgement.ACCEPT and self.on_heard(frame):
            self.send(frame, (one for one in self.connected() if one is not forwarder))

    def _see(self, frame: Frame) -> bool:
        name = (frame.publisher, frame.number)
        if name in self._seen:
            return False
        self._seen[name] = None
        if len(self._seen) > REMEMBERED_FRAMES:
            self._seen.popitem(last=False)
        return True


class Net:
    """All ports and links."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.weather = Weather()
        self.links: list[Link] = []
        self.on_judged: Callable[[Port, Port, Frame, Judgement], None] = lambda *_: None
        self.on_served: Callable[[asyncio.Task[Any]], None] = lambda _task: None
        self._echoes = 0

    def join(self, one: Port, other: Port, delay_s: float) -> Link:
        """Make two ports neighbours."""
        link = Link((one, other), delay_s)
        one.links[other.peer_id] = other.links[one.peer_id] = link
        self.links.append(link)
        return link

    def carry(self, sender: Port, receiver: Port, frame: Frame) -> None:
        """Send one frame over one hop."""
        link, weather, draw = sender.links[receiver.peer_id], self.weather, self.random.random
        if sender.peer_id in link.cut or (weather.loss and draw() < weather.loss):
            return
        self._later(link, lambda: receiver.receive(frame, sender))
        if weather.duplication and draw() < weather.duplication:
            self._echoes += 1
            again = frame._replace(publisher=f"echo {self._echoes}")
            self._later(link, lambda: receiver.receive(again, sender))

    async def exchange(self, asking: Port, link: Link, protocol: str, body: bytes) -> bytes:
        """A request and its answer; never returns if either is lost, raises PeerUnreachable."""
        asked = link.other(asking)
        answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        link.under_way[answer] = None
        try:
            if self.random.random() < self.weather.failure:
                raise PeerUnreachable("the connection broke")
            if asking.peer_id not in link.cut:
                self._later(link, lambda: self._ask(asking, asked, link, protocol, body, answer))
            return await answer
        finally:
            link.under_way.pop(answer, None)

    def disconnect(self, link: Link) -> None:
        """The connection is dead, and both ends know."""
        if not link.connected:
            return
        link.connected = False
        link.changes_at = self._now() + self.random.uniform(*REDIAL_S)
        for answer in list(link.under_way):
            if not answer.done():
                answer.set_exception(PeerUnreachable("the connection broke"))
        self._tell(link, connected=False)

    def connect(self, link: Link) -> None:
        """A connection is made, and both ends know."""
        link.connected = True
        self._tell(link, connected=True)

    def look_after(self) -> None:
        """Redial what can be reached, give up what has been dead for long."""
        now = self._now()
        for link in self.links:
            if link.connected and not link.works():
                if link.changes_at <= now:
                    self.disconnect(link)
            elif not link.connected and link.works() and link.changes_at <= now:
                self.connect(link)

    def cut(self, sender: Port, receiver: Port) -> None:
        """Nothing gets from one to the other any more."""
        link = sender.links[receiver.peer_id]
        if not link.cut:
            link.changes_at = self._now() + self.random.uniform(*NOTICED_S)
        link.cut.add(sender.peer_id)

    def mend(self) -> None:
        """Every direction of every link works again."""
        for link in self.links:
            link.cut.clear()

    def _tell(self, link: Link, *, connected: bool) -> None:
        for one, other in (link.ends, link.ends[::-1]):
            one.serve(partial(_on_peer, other.peer_id, connected))

    def _ask(
        self,
        asking: Port,
        asked: Port,
        link: Link,
        protocol: str,
        body: bytes,
        answer: asyncio.Future[bytes],
    ) -> None:
        async def work() -> None:
            value: bytes | SaysoError
            try:
                value = await asked.answer(asking, protocol, body)
            except SaysoError as error:
                value = PeerUnreachable(f"{asked.peer_id} refused: {error}")
            if asked.peer_id not in link.cut:
                self._later(link, lambda: _settle(answer, value))

        asked.serve(lambda _handlers: asked._task(work()))

    def _later(self, link: Link, what: Callable[[], object]) -> None:
        jitter_s = self.weather.jitter_s
        delay_s = link.delay_s + (self.random.expovariate(1 / jitter_s) if jitter_s else 0.0)
        asyncio.get_running_loop().call_later(delay_s, what)

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()


def _on_peer(peer_id: str, connected: bool, handlers: TransportHandlers) -> None:
    handlers.on_peer(peer_id, connected)


def _settle(answer: asyncio.Future[bytes], value: bytes | SaysoError) -> None:
    if answer.done():
        return
    if isinstance(value, SaysoError):
        answer.set_exception(value)
    else:
        answer.set_result(value)
