"""Names every reason why a node is not ready, for `/readyz`, `sayso node status` and the alarms.

freshness.py decides whether the node may speak. This module says in words for an operator why it may
not, and what else needs attention although it may.
"""

from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from sayso_node.freshness import NEVER, Freshness, Silence
from sayso_node.interfaces import Clock
from sayso_node.store.interface import Store
from sayso_node.supervision.alarms import NAMES, Alarms
from sayso_node.supervision.retrying import every

READY_AGE_S: Final = 120.0  # with an older view, a node's answers are stale for most clients
CLOCK_S: Final = 60.0  # that a clock may differ from the peers'
READINESS_EVERY_S: Final = 5.0
_UNREADY: Final = ("snapshots-failed",)  # alarms that are reasons by themselves
_ALARMS: Final = ("clock-wrong", "store-unwritable")  # reasons that are alarms, too


class Reason(NamedTuple):
    """Why a node is not ready: a stable code, and a sentence for an operator."""

    code: str
    text: str


class Readiness:
    """Finds the reasons; run() keeps the alarms that follow from them."""

    def __init__(
        self,
        freshness: Freshness,
        store: Store,
        alarms: Alarms,
        clock: Clock,
        parts_down: Callable[[], list[str]],
    ) -> None:
        self._freshness = freshness
        self._store = store
        self._alarms = alarms
        self._clock = clock
        self._parts_down = parts_down

    async def run(self) -> None:
        """Run until cancelled."""
        async for _ in every(READINESS_EVERY_S):
            found = dict(self.reasons())
            for name in _ALARMS:
                self._alarms.set(name, found.get(name))

    def reasons(self) -> list[Reason]:
        """Return the reasons, each code once; none if the node is ready."""
        found: dict[str, Reason] = {}
        for one in self._all():
            found.setdefault(one.code, one)
        return list(found.values())

    def _all(self) -> Iterator[Reason]:
        now = self._clock.now()
        silence = self._freshness.view(now, READY_AGE_S).silence
        yield from self._of_clock(now, silence)
        yield from self._of_silence(now, silence)
        for part in self._parts_down():
            yield Reason("part-down", f"the {part} has failed and is being restarted: see the log")
        if text := self._store.trouble:
            yield Reason("store-unwritable", text)
        active = self._alarms.active()
        for name in _UNREADY:
            if name in active:
                yield Reason(name, f"{NAMES[name]}: {active[name]}")

    def _of_clock(self, now: float, silence: Silence | None) -> Iterator[Reason]:
        """What is wrong if time is: our clock, or the chain's head."""
        offset, head = self._freshness.clock_offset, self._freshness.head
        if offset is not None and abs(offset) > CLOCK_S:
            side = "ahead of" if offset > 0 else "behind"
            text = f"this machine's clock is {abs(offset):.0f} s {side} the clocks of its peers"
            yield Reason("clock-wrong", text)
        elif silence is Silence.CLOCK:
            ahead = head.time - now
            text = f"this machine's clock is {ahead:.0f} s behind the newest block's time"
            yield Reason("clock-wrong", text)
        elif silence is Silence.OLD and now - head.time > READY_AGE_S:
            age = f"the newest block, {head.point.number}, is {now - head.time:.0f} s old"
            if now - self._freshness.head_moved < READY_AGE_S:
                text = f"{age}, although new ones come: this machine's clock is ahead"
                yield Reason("clock-wrong", text)
            else:
                text = f"{age}: the endpoint gives no newer one, or this machine's clock is ahead"
                yield Reason("chain-frozen", text)

    def _of_silence(self, now: float, silence: Silence | None) -> Iterator[Reason]:
        match silence:
            case None:
                return
            case Silence.NODE | Silence.DAMAGE | Silence.TWIN:
                yield Reason(silence, self._words(silence))
            case Silence.DISPUTE:
                yield Reason(silence, f"chain endpoints disagree: {self._freshness.dispute}")
            case Silence.REGISTRY:
                yield Reason(
                    silence, self._freshness.wrong_chain or "the registry was not looked up yet"
                )
            case Silence.CHAIN:
                yield Reason(silence, self._active("chain-unreachable", "the chain was not read yet"))
            case Silence.PEERS | Silence.OLD | Silence.CLOCK:
                late = [
                    one for one, at in self._freshness.rounds().items() if not now - at <= READY_AGE_S
                ]
                if late:
                    last = "never" if self._freshness.rounds()[late[0]] == NEVER else "not lately"
                    yield Reason("peers-unsynced", f"{last} synced with {', '.join(late)}")
                if not now - self._freshness.chain_begun <= READY_AGE_S:
                    text = "the chain was not read for some minutes"
                    yield Reason("chain-unread", self._active("chain-unreachable", text))
                yield Reason(silence, "the view of the chain or of the peers is not recent enough")

    def _words(self, silence: Silence) -> str:
        if silence is Silence.NODE:
            return "the process that gossips has said nothing lately: does it run?"
        if silence is Silence.TWIN:
            return self._freshness.twin_text
        return f"the store is damaged: {self._store.damage.text or 'the node has found it'}"

    def _active(self, name: str, otherwise: str) -> str:
        return self._alarms.active().get(name, otherwise)
