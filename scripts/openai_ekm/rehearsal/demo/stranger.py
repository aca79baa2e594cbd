"""A stranger in the story: a policy widened by hand, a use of the key, and how both are found."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any, Final

from openai_ekm.rehearsal.demo.person import Person
from openai_ekm.rehearsal.environment import cache_folder

if TYPE_CHECKING:
    from pathlib import Path

    from openai_ekm.rehearsal.demo.state import DemoState

__all__ = ["find_stranger", "let_stranger_in"]

STRANGER: Final = "analyst"
_CALLS: Final = 2  # an Encrypt and a Decrypt
EXIT_FOUND: Final = 1
_SID: Final = "WidenedByHand"


def let_stranger_in(stage: DemoState, administrator: Person) -> str:
    """Widen the key policy by hand, and use the key as the one whom it lets in.

    Args:
        stage: The state.
        administrator: Who changes the policy.

    Returns:
        The key policy as it was.
    """
    report, key = stage.report, stage.outputs["ekm"]["key_arn"]
    with report.step("Widen the key policy by hand, and use the key as a stranger"):
        stranger = Person(stage.aws, stage.trail, STRANGER)
        before: str = administrator.kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"]
        policy = json.loads(before)
        policy["Statement"].append(
            {
                "Sid": _SID,
                "Effect": "Allow",
                "Principal": {"AWS": stranger.role_arn},
                "Action": ["kms:Encrypt", "kms:Decrypt"],
                "Resource": "*",
            }
        )
        report.command("aws kms put-key-policy --policy file://widened.json --key-id", key)
        administrator.kms.put_key_policy(KeyId=key, PolicyName="default", Policy=json.dumps(policy))
        text = b"not OpenAI's"
        blob = stranger.kms.encrypt(KeyId=key, Plaintext=text)["CiphertextBlob"]
        read = stranger.kms.decrypt(KeyId=key, CiphertextBlob=blob)["Plaintext"]
        report.check(f"{stranger.role_arn} uses the key.", holds=read == text)
    return before


def find_stranger(stage: DemoState, administrator: Person, before: str) -> None:
    """Find both afterwards, write the evidence, and put the policy back.

    Args:
        stage: The state.
        administrator: Who puts it back.
        before: The key policy as it was.
    """
    report, key = stage.report, stage.outputs["ekm"]["key_arn"]
    with report.step("Look who uses the key, and what is not as it was meant"):
        usage = _usage(stage)
        drift = _drift(stage)
        _write_evidence(stage, usage=usage, drift=drift)
        report.command("aws kms put-key-policy --policy file://before.json --key-id", key)
        administrator.kms.put_key_policy(KeyId=key, PolicyName="default", Policy=before)


def _usage(stage: DemoState) -> dict[str, Any]:
    report = stage.report
    said = stage.ekm(
        "usage", str(stage.folder / "trail"), "--from-terraform", ".", expected=EXIT_FOUND
    )
    report.text(said["openai"]["sentence"])
    others = said["others"]
    who = {str(event["principal"]) for event in others["events"]}
    report.check(
        f"Usage shows OpenAI's {said['openai']['calls']} calls, and {_CALLS} of one stranger: "
        f"{', '.join(sorted(who))}.",
        holds=said["openai"]["state"] == "using"
        and others["succeeded"] == _CALLS
        and len(who) == 1
        and STRANGER in who.pop(),
        found=str(others),
    )
    return said


def _drift(stage: DemoState) -> dict[str, Any]:
    said = stage.ekm("drift", "--from-terraform", ".", expected=EXIT_FOUND)
    found = [each for each in said["differences"] if each["state"] == "drift"]
    for each in found:
        stage.report.text(each["message"])
    stage.report.check(
        "Drift finds the statement that was added by hand, and nothing else.",
        holds=[each["check"] for each in found] == ["key_policy"] and _SID in json.dumps(found),
        found=str(found),
    )
    return said


def _write_evidence(stage: DemoState, **members: dict[str, Any]) -> None:
    """Write a pack into the demo's folder, and leave it where it outlives the demo."""
    report = stage.report
    options: list[str] = []
    for name, value in members.items():
        file = stage.folder / f"{name}.json"
        file.write_text(json.dumps(value), encoding="utf-8")
        options += [f"--{name}", str(file)]
    made = stage.folder / "evidence"
    said = stage.ekm("evidence", "write", str(made), "--from-terraform", ".", *options)
    place = _keep(made)
    page = place / "index.html"
    report.fact("evidence", (page if page.is_file() else place).as_uri())
    report.check(
        f"The evidence of it is written: {len(said['members'])} files.",
        holds={"usage.json", "drift.json", "index.html"} <= set(said["members"]),
        found=str(said["members"]),
    )


def _keep(made: Path) -> Path:
    """Move the pack to the user's cache, in place of that of the last demo."""
    place = cache_folder() / "demo" / "evidence"
    place.parent.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(place, ignore_errors=True)
    shutil.move(made, place)
    return place
