"""What goes wrong in a run: every fault has a name, and a seed draws which of them there are.

A run with everything at once is a poor test: the loudest fault hides the others. So each seed switches
about half of the faults off altogether.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from random import Random

from sayso_node.store.admission.pending import PendingRoom

LIES = ("omit", "replay", "forge", "flood", "garbage", "silence")
FRAME = "frame"  # a lie that is drawn by itself

SMALL_ROOM = PendingRoom(pending=24, source=12, signer=4, marks=64)


@dataclass(frozen=True)
class Options:
    """The faults of a run, and its size.

    Attributes:
        machines: Honest nodes.
        payers: How many of them anchor and relay.
        liars: Nodes that lie.
        lies: What liars do, of LIES and FRAME.
        liars_go_on: They go on lying when everything else is mended.
        seconds: How long there is trouble, virtual.
        messages: How many consents and revocations people sign.
        checks: How many checks buyers ask each machine.
        loss: Share of frames that are lost on each hop.
        duplication: Share of frames that come a second time, as if published again.
        jitter_s: Mean of what is added to each delay: with more, more things overtake each other.
        failure: Share of requests and publications that break off.
        cuts: How often the network is cut in two, or one machine off.
        one_way: Cuts are in one direction only.
        crashes: How often a machine loses power.
        crashes_at_commit: The power fails just before or after a commit is on disk.
        restarts: How often a machine is stopped and started in order.
        child_deaths: How often a machine's peer-to-peer process dies.
        slow: How many machines answer late.
        full_disks: How often a disk has no room for a while.
        skew_s: How wrong clocks are, at most.
        clock_jumps: How often a clock is put to another error.
        reorgs: How often the chain reorganises.
        reorg_depth: Blocks, at most.
        vanishing: Share of dropped transactions that are never mined again.
        endpoint_failure: Share of questions to the chain without an answer.
        endpoints_behind: How often an endpoint stays behind for a while.
        passing: Share of statements of holders, and of their withdrawals, among what people sign.
        erasures: How often an operator erases what may be erased, in each of two times of trouble.
        ending: Licenses are short, and so are days: statements end (rule 15.7).
        room: What a store keeps of revocations that nobody can use yet.
    """

    machines: int = 3
    payers: int = 2
    liars: int = 0
    lies: tuple[str, ...] = ()
    liars_go_on: bool = False
    seconds: float = 60.0
    messages: int = 16
    checks: int = 16
    loss: float = 0.0
    duplication: float = 0.0
    jitter_s: float = 0.005
    failure: float = 0.0
    cuts: int = 0
    one_way: bool = False
    crashes: int = 0
    crashes_at_commit: bool = False
    restarts: int = 0
    child_deaths: int = 0
    slow: int = 0
    full_disks: int = 0
    skew_s: float = 0.0
    clock_jumps: int = 0
    reorgs: int = 0
    reorg_depth: int = 3
    vanishing: float = 0.0
    endpoint_failure: float = 0.0
    endpoints_behind: int = 0
    passing: float = 0.0
    erasures: int = 0
    ending: bool = False
    room: PendingRoom = SMALL_ROOM

    def text(self) -> str:
        """What differs from a quiet run."""
        quiet = asdict(Options())
        said = [f"{name}={value}" for name, value in asdict(self).items() if value != quiet[name]]
        return " ".join(said)


SHORT = "s"  # seeds that begin with it are of short runs


def options_of(seed: str) -> Options:
    """What goes wrong in the run of a seed."""
    random = Random(f"{seed}/options")
    drawn = draw_options(random)
    if not seed.startswith(SHORT):
        some = _Some(random)
        return replace(
            drawn,
            erasures=some.of(lambda: random.randint(1, 3), 0),
            ending=some.of(lambda: True, False),
        )
    return replace(
        drawn,
        machines=min(drawn.machines, 3),
        liars=min(drawn.liars, 1),
        seconds=random.choice((15.0, 25.0)),
        messages=random.randint(4, 10),
        checks=random.randint(3, 6),
    )


def draw_options(random: Random) -> Options:
    """Half of the faults, each as bad as it happens to be."""
    some = _Some(random)
    liars = some.of(lambda: random.choice((1, 1, 2)), 0)
    lies = tuple(sorted(random.sample(LIES, random.randint(1, 3)))) if liars else ()
    drawn = Options(
        machines=random.choice((2, 3, 3, 3, 4)),
        liars=liars,
        lies=lies,
        liars_go_on=some.of(lambda: True, False),
        seconds=random.choice((30.0, 60.0, 90.0)),
        messages=random.randint(6, 24),
        checks=random.randint(6, 18),
        loss=some.of(lambda: random.uniform(0.05, 0.9), 0.0),
        duplication=some.of(lambda: random.uniform(0.05, 0.5), 0.0),
        jitter_s=some.of(lambda: random.uniform(0.05, 3.0), 0.005),
        failure=some.of(lambda: random.uniform(0.02, 0.3), 0.0),
        cuts=some.of(lambda: random.randint(1, 3), 0),
        one_way=some.of(lambda: True, False),
        crashes=some.of(lambda: random.randint(1, 5), 0),
        crashes_at_commit=some.of(lambda: True, False),
        restarts=some.of(lambda: random.randint(1, 2), 0),
        child_deaths=some.of(lambda: random.randint(1, 3), 0),
        slow=some.of(lambda: 1, 0),
        full_disks=some.of(lambda: random.randint(1, 2), 0),
        skew_s=some.of(lambda: random.choice((5.0, 60.0, 600.0)), 0.0),
        clock_jumps=some.of(lambda: random.randint(1, 4), 0),
        reorgs=some.of(lambda: random.randint(1, 4), 0),
        reorg_depth=random.choice((1, 2, 6)),
        vanishing=some.of(lambda: 0.5, 0.0),
        endpoint_failure=some.of(lambda: random.uniform(0.02, 0.4), 0.0),
        endpoints_behind=some.of(lambda: random.randint(1, 3), 0),
        payers=random.choice((1, 2, 4)),
        passing=some.of(lambda: random.choice((0.4, 0.6, 0.8)), 0.0),
    )
    framing = some.of(lambda: True, False) if liars else False
    return replace(drawn, lies=(*lies, FRAME)) if framing else drawn


class _Some:
    """Half of the faults."""

    def __init__(self, random: Random) -> None:
        self._random = random

    def of(self, value: Callable[[], object], otherwise: object):  # type: ignore[no-untyped-def]
        return value() if self._random.choice((False, True)) else otherwise
