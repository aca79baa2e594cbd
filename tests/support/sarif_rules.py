"""What the SARIF 2.1.0 schema says of the objects that our logs use, and what GitHub asks besides.

No package on PyPI carries the official schema, so that its rules are written down here for the
objects that we write, each with every member that we may write: a member that is misspelt, or of
another object, is refused as the schema refuses it.

Sources:
https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json
https://docs.github.com/en/code-security/reference/code-scanning/sarif-files/sarif-support
"""

from __future__ import annotations

from typing import Any, Final

__all__ = ["CODE_SCANNING", "SARIF"]

Json = dict[str, Any]
TEXT: Final[Json] = {"type": "string"}
POSITIVE: Final[Json] = {"type": "integer", "minimum": 1}
INDEX: Final[Json] = {"type": "integer", "minimum": -1}
LEVEL: Final[Json] = {"enum": ["none", "note", "warning", "error"]}


def _object(required: str = "", /, **members: Json) -> Json:
    """An object with these members and no others."""
    return {
        "type": "object",
        "required": required.split(),
        "properties": members,
        "additionalProperties": False,
    }


def _list(items: Json, **more: Any) -> Json:
    return {"type": "array", "items": items, **more}


BAG: Final[Json] = {
    "type": "object",
    "properties": {"tags": _list(TEXT, uniqueItems=True)},
}
MESSAGE = _object("text", text=TEXT, markdown=TEXT)
REGION = _object(
    "startLine", startLine=POSITIVE, startColumn=POSITIVE, endLine=POSITIVE, endColumn=POSITIVE
)
PHYSICAL = _object(
    "artifactLocation",
    artifactLocation=_object(uri={"type": "string", "format": "uri-reference"}, uriBaseId=TEXT),
    region=REGION,
)
LOCATION = _object(
    physicalLocation=PHYSICAL,
    logicalLocations=_list(
        _object(name=TEXT, fullyQualifiedName=TEXT, kind=TEXT), uniqueItems=True
    ),
)
RULE = _object(
    "id",
    id=TEXT,
    name=TEXT,
    shortDescription=MESSAGE,
    fullDescription=MESSAGE,
    help=MESSAGE,
    helpUri={"type": "string", "format": "uri"},
    defaultConfiguration=_object(level=LEVEL),
    properties=BAG,
)
DRIVER = _object(
    "name", name=TEXT, version=TEXT, semanticVersion=TEXT, rules=_list(RULE, uniqueItems=True)
)
RESULT = _object(
    "message",
    ruleId=TEXT,
    ruleIndex=INDEX,
    kind={"enum": ["notApplicable", "pass", "fail", "review", "open", "informational"]},
    level=LEVEL,
    message=MESSAGE,
    locations=_list(LOCATION),
    partialFingerprints={"type": "object", "additionalProperties": TEXT},
    properties=BAG,
    suppressions=_list(
        _object(
            "kind",
            kind={"enum": ["inSource", "external"]},
            status={"enum": ["accepted", "underReview", "rejected"]},
            justification=TEXT,
        ),
        uniqueItems=True,
    ),
)
NOTIFICATION = _object(
    "message", message=MESSAGE, level=LEVEL, associatedRule=_object(id=TEXT, index=INDEX)
)
INVOCATION = _object(
    "executionSuccessful",
    executionSuccessful={"type": "boolean"},
    exitCode={"type": "integer"},
    toolExecutionNotifications=_list(NOTIFICATION),
)
RUN = _object(
    "tool",
    tool=_object("driver", driver=DRIVER),
    automationDetails=_object(id=TEXT),
    invocations=_list(INVOCATION),
    results=_list(RESULT),
)
SARIF: Final = {
    **_object("version runs", version={"enum": ["2.1.0"]}, runs=_list(RUN)),
}
SARIF["properties"]["$schema"] = {"type": "string", "format": "uri"}


def _asks(*required: str, **members: Json) -> Json:
    """An object that has these members at least, none of them an empty text."""
    filled = {each: {"not": {"const": ""}} for each in required}
    return {"type": "object", "required": list(required), "properties": {**filled, **members}}


# "You must supply an explicit value for any property marked as required."
SHORT = {"type": "object", "properties": {"text": {"type": "string", "maxLength": 1024}}}
CODE_SCANNING: Final = _asks(
    "$schema",
    "version",
    "runs",
    runs=_list(
        _asks(
            "tool",
            "results",
            tool=_asks(
                "driver",
                driver=_asks(
                    "name",
                    "rules",
                    rules=_list(
                        _asks(
                            "id",
                            "shortDescription",
                            "fullDescription",
                            "help",
                            name={"type": "string", "maxLength": 255},
                            shortDescription={**_asks("text"), "allOf": [SHORT]},
                            fullDescription={**_asks("text"), "allOf": [SHORT]},
                            help=_asks("text"),
                        )
                    ),
                ),
            ),
            automationDetails=_asks("id", id={"pattern": "^[^/].*/[^/]*$"}),
            results=_list(
                _asks(
                    "message",
                    "locations",
                    "partialFingerprints",
                    message=_asks("text"),
                    partialFingerprints={"minProperties": 1},
                    locations=_list(
                        _asks(
                            "physicalLocation",
                            physicalLocation=_asks(
                                "artifactLocation",
                                "region",
                                artifactLocation=_asks("uri"),
                                region=_asks("startLine", "startColumn", "endLine", "endColumn"),
                            ),
                        ),
                        minItems=1,
                        maxItems=10,
                    ),
                )
            ),
        )
    ),
)
