"""A peer that answers as a node does, except where a test makes it lie."""

import asyncio
from collections.abc import Callable, Iterable

from sayso_protocol.envelope import CONSENT, REVOCATION, Envelope, encode
from sayso_protocol.messages import Consent
from sayso_protocol.packing import pack
from sayso_protocol.reconcile import GetRequest, ListRequest, Request, decode_request
from sayso_protocol.wire import SYNC_PROTOCOL
from support.node_rig import NodeRig

Lie = Callable[[Request], bytes | None]  # None: tell the truth


class Peer:
    """Holds these messages; `lie` may answer instead; remembers what it was asked."""

    def __init__(self, rig: NodeRig, name: str = "peer", holds: Iterable[Envelope] = ()) -> None:
        self.name = name
        self.holds = list(holds)
        self.lie: Lie = lambda _request: None
        self.asked: list[Request] = []
        self.silent = False
        rig.board.add_peer(name, self.answer)

    async def answer(self, protocol: str, body: bytes, _asking: str) -> bytes:
        assert protocol == SYNC_PROTOCOL
        request = decode_request(body)
        self.asked.append(request)
        if self.silent:
            await asyncio.Event().wait()
        lied = self.lie(request)
        return self.truth(request) if lied is None else lied

    def truth(self, request: Request) -> bytes:
        if isinstance(request, GetRequest):
            return pack([encode(one) for one in self.holds if one.digest in request.digests])
        return pack(sorted(self._digests(request)))

    def _digests(self, request: ListRequest) -> list[bytes]:
        consents = [isinstance(one.message, Consent) for one in self.holds]
        kinds = [CONSENT if is_consent else REVOCATION for is_consent in consents]
        found = zip(self.holds, kinds, strict=True)
        return [one.digest for one, kind in found if kind == request.kind and one.digest > request.after]

    @property
    def gets(self) -> list[GetRequest]:
        return [one for one in self.asked if isinstance(one, GetRequest)]
