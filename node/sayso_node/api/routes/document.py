"""GET /v1/openapi.json: the OpenAPI document, derived from the operations of all routes."""

from typing import Final

from aiohttp import web

from sayso_node.api.http.route import Route
from sayso_node.api.routes import (
    about,
    checks,
    claims,
    events,
    licenses,
    messages,
    proofs,
    revocations,
    snapshots,
    statements,
    status,
    traces,
    typed_data,
)
from sayso_node.api.schema.openapi import Document, document
from sayso_node.api.schema.operations import Operation

DOCUMENT: Final = Operation("GET", "/v1/openapi.json", "openapi", "This document.", Document)


def operations() -> tuple[Operation, ...]:
    """Return the operations of the API; those of the web page are not included."""
    return (
        messages.SUBMIT,
        *messages.operations().values(),
        *typed_data.operations().values(),
        typed_data.CLEAR_SIGNING,
        licenses.LICENSE,
        traces.TRACE,
        proofs.PROOF,
        licenses.LICENSES_OF,
        licenses.CONSENTS_OF,
        revocations.REVOCATION,
        revocations.RECEIPT_PROOF,
        revocations.REVOCATIONS_OF,
        statements.STATEMENT,
        statements.STATEMENTS_ON,
        statements.SUBLICENSES_TO,
        claims.CLAIMS_ON,
        licenses.BATCH,
        checks.CHECK,
        status.STATUS,
        events.LISTEN,
        snapshots.SNAPSHOTS,
        snapshots.SNAPSHOT,
        about.NODE,
        about.PEERS,
        DOCUMENT,
        about.HEALTH,
        about.READY,
        about.METRICS,
    )


class DocumentRoutes:
    """Answers with the OpenAPI document."""

    def __init__(self, version: str) -> None:
        self._document = document(version, operations())

    def routes(self) -> list[Route]:
        """The routes of this file."""
        return [Route(DOCUMENT, self.openapi)]

    async def openapi(self, _request: web.BaseRequest) -> Document:
        """Return the document."""
        return self._document
