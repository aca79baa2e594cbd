"""Every text member of a pack has a name of its own: what redaction leaves is in a list."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from openai_ekm import schemas
from openai_ekm.evidence.redaction import redact
from tests.support.evidence_pack import make_pack

# Members that hold an ARN, an address or an id of a form: a text of no form is none of theirs.
FORMS = {
    **dict.fromkeys(
        (
            *("arn", "kms_arn", "key_arn", "role_arn", "target", "related", "key_arns"),
            *("administrators", "principal", "resource"),
        ),
        "arn:aws:iam::111122223333:role/{}",
    ),
    **dict.fromkeys(("account", "unknown_account", "resource_account"), "1{:0>11}"),
    "organization": "o-abcdef{:0>6}",
    "source_ip": "2001:db8::{}",
    "vpc_endpoint": "vpce-{:0>17}",
    "external_key_id": "extkey_{}",
    "projects.id": "proj_{}",
}
# Ours, AWS's or a moment: docs/operate/evidence.md says so.
STAYS = frozenset(
    {
        *("state", "spec", "usage", "origin", "multi_region", "via_service", "kind", "region"),
        *("time", "at", "since", "until", "first", "last", "first_use", "last_use", "day"),
        *("expires", "operation", "action", "code", "error_code", "event_id", "watch"),
        *("id", "drill_id", "check", "title", "result", "event", "path", "sources"),
    }
)
# Sentences of ours and of AWS: a name in them is found by its form, or stands elsewhere as well.
SENTENCES = frozenset(
    {
        *("sentence", "message", "error_message", "diagnosis", "remedy", "reason", "summary"),
        *("text", "notes", "error", "refusal", "unseen", "document", "subject"),
    }
)
# Any JSON, of which each member is looked at by what it is called.
ANY = frozenset(
    {"role", "grants", "context", "policy", "scps", "rcps", "meant", "observed", "key_policy"}
)


class Filler:
    """Fills a schema; each text is one of a kind."""

    def __init__(self) -> None:
        self.paths: dict[str, str] = {}

    def fill(self, part: dict[str, Any], document: str, path: str) -> Any:
        """Return a value with every member that the schema knows."""
        if "$ref" in part:
            place, _, pointer = part["$ref"].partition("#/")
            document = place.removeprefix(schemas.ID_PREFIX) or document
            found: Any = schemas.read(document)
            for step in pointer.split("/") if pointer else ():
                found = found[step]
            return self.fill(found, document, path)
        if "const" in part or "enum" in part:
            return part.get("const") or part["enum"][0]
        kinds = part.get("type", ())
        if "properties" in part:
            return {
                name: self.fill(each, document, f"{path}.{name}")
                for name, each in part["properties"].items()
            }
        if "array" in kinds:
            return [self.fill(part.get("items", {}), document, path)]
        if "integer" in kinds or "number" in kinds:
            return 1
        return True if "boolean" in kinds else self.text(path)

    def text(self, path: str) -> str:
        """Return a text of the form that a member has."""
        number = len(self.paths) + 1000
        last = path.rpartition(".")[2]
        form = FORMS.get(last) or FORMS.get(".".join(path.split(".")[-2:])) or "{}-of-acme"
        text = form.format(number)
        self.paths[text] = path
        return text


def test_what_redaction_leaves_of_every_member_is_in_a_list() -> None:
    """Guards against: a new member with a name in it, and one that nobody looks for."""
    filler = Filler()
    of = {"snapshot": "ekm-snapshot", "usage": "usage", "drift": "ekm-drift", "drill": "ekm-drill"}
    filled = {name: filler.fill(schemas.read(file), file, name) for name, file in of.items()}
    event = {
        name: filler.text(f"audit_events.{name}")
        for name in ("id", "title", "role_name", "user_agent", "city", "region", "group_id", "new")
    }
    pack = replace(
        make_pack(audit_events={"events": [event | {"type": "x.y", "z": event}]}),
        drills=(filled.pop("drill"),),
        **filled,
    )
    found = redact(pack)[0]
    text = json.dumps([found.snapshot, found.usage, found.drift, found.drills, found.audit_events])
    left = {path for name, path in filler.paths.items() if name in text}
    listed = STAYS | SENTENCES | ANY
    assert {each for each in left if each.rpartition(".")[2] not in listed} == set()
    assert not [each for each in left if each.startswith("audit_events")]
    # A list that names more than what is left says nothing.
    assert listed - {each.rpartition(".")[2] for each in left} == set()
