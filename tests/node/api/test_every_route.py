"""Every route of the OpenAPI document, wrong in one thing at a time: a stable code, nothing kept.

The node answers /healthz all the while. What only one route takes is tried in test_refusals.py.
"""

import json
from typing import Any, Final

from node.api.routes import (
    BODIES,
    COMPONENTS,
    GOOD,
    JSON,
    PATHS,
    STATUS,
    Asked,
    schema_of_body,
    send,
)
from node.api.wrong_requests import BAD, TAKING, Cases, expect, form_of
from support.running_node import RunningNode

METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")
UNLIKE: Final[tuple[Any, ...]] = (None, True, 7, 7.5, "x", [], {}, [7], [None], [[]], [{}])
TYPES: Final = {"string": str, "integer": int, "array": list}


def test_the_document_and_the_good_requests_are_the_same_list() -> None:
    written = {(path, method.upper()) for path, methods in PATHS.items() for method in methods}
    assert {(one.path, one.method) for one in GOOD} == written
    assert len(written) > 15
    assert {one.path for one in TAKING} == {path for path, _ in BODIES}
    assert STATUS.keys() <= PATHS.keys()


def wrong_methods() -> Cases:
    for one in GOOD:
        others = {method.lower() for method in METHODS} - PATHS[one.path].keys()
        for method in sorted(others):
            other = one._replace(method=method.upper())
            yield f"{method} {one.path}", other.bytes(), (405, "method-not-allowed")
        yield f"FROB {one.path}", one._replace(method="FROB").bytes(), BAD


async def test_wrong_methods(full: RunningNode) -> None:
    await expect(full, wrong_methods())


async def test_a_wrong_method_is_told_the_right_ones(full: RunningNode) -> None:
    for one in GOOD:
        answer = await send(full, one._replace(method="DELETE", kind="").bytes())
        [line] = [part for part in answer.split(b"\r\n") if part.lower().startswith(b"allow:")]
        methods = {method.upper() for method in PATHS[one.path]}
        if "GET" in methods and one.path != "/v1/events":
            methods.add("HEAD")
        assert line[7:].decode() == ", ".join(sorted(methods)), one.path


def wrong_parameters() -> Cases:
    for one in GOOD:
        for name, schema in one.parameters("path").items():
            form = form_of(name, schema)
            for text in form.texts:
                target = _with_path(one, name, text)
                yield (
                    f"{one.path} {name} {text[:80]}",
                    one._replace(target=target).bytes(),
                    (form.status, form.code),
                )
        for name, schema in one.parameters("query").items():
            form = form_of(name, schema)
            for text in form.texts:
                target = _with_query(one, name, text)
                yield (
                    f"{one.path}?{name}={text[:80]}",
                    one._replace(target=target).bytes(),
                    (form.status, form.code),
                )


def _with_path(one: Asked, name: str, text: str) -> str:
    """The target with another text at the place of a parameter."""
    places, parts = one.path.split("/"), one.target.split("?")
    path = parts[0].split("/")
    path[places.index(f"{{{name}}}")] = text
    return "?".join(["/".join(path), *parts[1:]])


def _with_query(one: Asked, name: str, text: str) -> str:
    path, _, query = one.target.partition("?")
    others = [pair for pair in query.split("&") if pair and not pair.startswith(f"{name}=")]
    return f"{path}?{'&'.join([*others, f'{name}={text}'])}"


async def test_parameters_in_another_form(full: RunningNode) -> None:
    await expect(full, wrong_parameters())


def wrong_queries() -> Cases:
    for one in GOOD:
        joint = "&" if "?" in one.target else "?"
        extra = ["extra=1", "cursor=x", "limit=1&limit=1", "=", "a", "__proto__=1", "%00=1", "q[]=1"]
        for query in extra:
            if query.partition("=")[0] not in one.parameters("query") or "&" in query:
                target = f"{one.target}{joint}{query}"
                yield f"{one.path}?{query}", one._replace(target=target).bytes(), BAD
        for pair in one.target.partition("?")[2].split("&") if "?" in one.target else ():
            twice = f"{one.target}&{pair}"
            yield f"{one.path} {pair} twice", one._replace(target=twice).bytes(), BAD
            path, _, query = one.target.partition("?")
            others = "&".join(other for other in query.split("&") if other != pair)
            yield f"{one.path} without {pair}", one._replace(target=f"{path}?{others}").bytes(), BAD


async def test_queries_with_unknown_double_or_missing_names(full: RunningNode) -> None:
    await expect(full, wrong_queries())


def wrong_fields() -> Cases:
    for one in (one for one in TAKING if one.kind == JSON):
        fields, body = schema_of_body(one), json.loads(one.body)
        required = {name for name in fields if name in body}
        for name in fields:
            for value in UNLIKE:
                if not _is_like(fields[name], value):
                    yield _changed(one, f"{name}={value!r}", body | {name: value})
        yield _changed(one, "a field too many", body | {"extra": 1})
        yield _changed(one, "a name in capitals", {k.capitalize(): v for k, v in body.items()})
        for name in required - _optional(one):
            yield _changed(one, f"without {name}", {k: v for k, v in body.items() if k != name})
        for value in UNLIKE:
            yield _changed(one, f"body {value!r}", value)


def _changed(one: Asked, what: str, value: Any) -> tuple[str, bytes, tuple[int, str]]:
    return f"{one.path} {what}", one._replace(body=json.dumps(value).encode()).bytes(), BAD


def _is_like(schema: dict[str, Any], value: Any) -> bool:
    """Whether only the content may be wrong, which another code says."""
    kind = TYPES[schema.get("type", "string")]
    return type(value) is kind and (kind is not list or value == [])


def _optional(one: Asked) -> set[str]:
    reference = one.operation["requestBody"]["content"][JSON]["schema"]["$ref"].rsplit("/", 1)[1]
    return set(COMPONENTS[reference]["properties"]) - set(COMPONENTS[reference]["required"])


async def test_fields_of_another_type_unknown_or_missing(full: RunningNode) -> None:
    await expect(full, wrong_fields())


def wrong_bodies() -> Cases:
    for one in TAKING:
        code = "malformed" if one.path == "/v1/messages" else "bad-request"
        nested = b"[" * 200_000 if one.kind == JSON else b"\x91" * 200_000
        objects = b'{"rows":' * 50_000 if one.kind == JSON else b"\x81\xa1a" * 50_000
        for name, body in {
            "nothing": b"",
            "deep": nested,
            "deep objects": objects,
            "cut": one.body[:-1],
            "two": one.body * 2,
            "no text": b"\xff\xfe\x00",
            "NUL": b"\x00",
            "a mark of the byte order": b"\xef\xbb\xbf" + one.body,
        }.items():
            yield f"{one.path} {one.kind} {name}", one._replace(body=body).bytes(), (400, code)


async def test_bodies_that_are_too_deep_cut_or_no_message(full: RunningNode) -> None:
    await expect(full, wrong_bodies())
