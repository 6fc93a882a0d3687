"""A node judges every bundle of the published vectors as they say (rules 7.1 to 7.8)."""

import json
from pathlib import Path
from typing import Any

import pytest

from sayso_node.interfaces import Judgement
from sayso_protocol import errors
from sayso_protocol.errors import MessageError, is_rejected
from sayso_protocol.messages.wire import all_topics
from support.node_rig import NodeRig
from support.protocol_strategies import NETWORK

VECTORS = json.loads((Path(__file__).parents[2] / "vectors/bundles.json").read_text())
TOPICS = {topic.name: topic.on(NETWORK) for topic in all_topics()}
ERRORS: dict[str, type[MessageError]] = {
    one.code: one
    for one in vars(errors).values()
    if isinstance(one, type) and issubclass(one, MessageError)
}


@pytest.mark.parametrize("vector", VECTORS["frames"], ids=lambda vector: vector["name"])
async def test_a_bundle_is_judged_as_its_vector_says(rig: NodeRig, vector: dict[str, Any]) -> None:
    rig.clock.time = VECTORS["now"]
    frame = bytes.fromhex(vector["frame"][2:])
    judgement = await rig.broadcast.on_frame(TOPICS[vector["topic"]], frame, "peer")
    refusal = ERRORS[vector["code"]]("") if "code" in vector else None
    assert (judgement is Judgement.REJECT) is is_rejected(refusal)
