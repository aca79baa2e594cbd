"""A proof as a report: each claim with its answer, what breaks it, and what to do."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from openai_ekm.evaluation import StatementRef
from openai_ekm.proof.gaps import ABSENT
from openai_ekm.proof.result import TITLES, Answer
from openai_ekm.reports.finding import Finding, Place, Report, Rule, State, sentence

if TYPE_CHECKING:
    from openai_ekm.proof.result import Judged

__all__ = ["RULES", "UNDECIDED", "report_of"]

HELP: Final = (
    "The result's properties hold the smallest request that breaks the claim, and its logical "
    "locations name the statements that decide it. Narrow them, or take them out, and prove again. "
    "`ekm diagnose` shows the fix where OpenAI itself is refused. docs/proof.md of the module says "
    "what each claim means."
)
_IAM: Final = "https://docs.aws.amazon.com/IAM/latest/UserGuide"
_KMS: Final = "https://docs.aws.amazon.com/kms/latest/developerguide"
_OPENAI: Final = "https://help.openai.com/en/articles/20000947"
# By claim: the id of its rule, and the page that says what stands behind it.
_PAGES: Final = {
    "a": ("EKM001/least-privilege/assume", f"{_IAM}/confused-deputy.html"),
    "b": ("EKM002/least-privilege/role", f"{_IAM}/best-practices.html#grant-least-privilege"),
    "c": ("EKM003/least-privilege/key", f"{_KMS}/key-policies.html"),
    "d": ("EKM004/availability/openai", _OPENAI),
    "e": ("EKM005/availability/administration", f"{_KMS}/key-policy-default.html"),
    "f": ("EKM006/least-privilege/deletion", f"{_KMS}/deleting-keys.html"),
}
RULES: Final = {
    claim: Rule(
        id=rule,
        name=rule.partition("/")[2],
        short=f"{TITLES[claim]}.",
        full=f"Claim ({claim}) over every request there could be: {TITLES[claim]}.",
        help=HELP,
        page=page,
        level="error",
        severity="9.0",
    )
    for claim, (rule, page) in _PAGES.items()
}
_OPEN_TEXT: Final = "A claim of least privilege is undecided: what was not seen could break it."
UNDECIDED: Final = Rule(
    id="EKM100/undecided",
    name="undecided",
    short=_OPEN_TEXT,
    full=_OPEN_TEXT,
    help="Collect what the message names, as somebody who may, and prove again.",
    page=f"{_IAM}/access_policies_testing-policies.html",
    level="none",
    tags=("not-seen",),
)
# What cures a claim that fails.
_REMEDIES: Final = {
    "a": "Let the trust policy allow sts:AssumeRole to OpenAI's role alone, and only with the "
    "external id that is registered: narrow or remove the statements that are named",
    "b": "Let the role have kms:Encrypt and kms:Decrypt on this key, and nothing else. "
    "`ekm diagnose` shows the fix where the role is refused",
    "c": "Let the role alone use the key, and administrators alone change its policy: narrow or "
    "remove the statements that are named",
    "d": "Run `ekm diagnose` on the same input: it names the statement or the setting at fault, "
    "and the smallest fix",
    "e": "Let an administrator or the account's root user have kms:PutKeyPolicy on the key",
    "f": "Let administrators alone have kms:DisableKey, kms:ScheduleKeyDeletion and "
    "kms:DeleteImportedKeyMaterial: narrow or remove the statements that are named",
}
FROM_AWS: Final = "`ekm prove --from-terraform .`"
_MALFORMED: Final = "Correct what the message names, and prove again"


def report_of(judged: Judged, *, file: str = ".", line: int = 1) -> Report:
    """Turn a proof into a report.

    Args:
        judged: What was judged, and the proof.
        file: A file that a person can open, relative to the repository, or a `file:` URI.
        line: The line of it at which the claims are shown.
    """
    return Report(
        tool="ekm prove",
        subject=judged.instance,
        identity=judged.identity,
        findings=tuple(_finding(each) for each in judged.as_json()["claims"]),
        rules=tuple(RULES.values()),
        undecided=UNDECIDED,
        file=file,
        line=line,
    )


def _finding(claim: dict[str, Any]) -> Finding:
    name, found = claim["id"], claim["counterexample"]
    statements = [StatementRef(**each) for each in found["statements"]] if found is not None else []
    return Finding(
        id=name,
        title=TITLES[name],
        state=State(claim["answer"]),
        rule=RULES[name],
        message=claim["message"],
        remedy=_remedy(claim),
        details=_details(found, statements),
        places=tuple(_place(each) for each in statements),
        unseen=tuple(each["path"] for each in claim["undecided_by"]),
        properties={} if found is None else {"counterexample": found},
    )


def _details(
    found: dict[str, Any] | None, statements: list[StatementRef]
) -> tuple[tuple[str, str], ...]:
    if found is None:
        return ()
    request = found["request"]
    rows = [(name, request[name]) for name in ("principal", "action", "resource")]
    rows += [(key, json.dumps(value)) for key, value in request["context"].items()]
    rows += [("by", f"{each.effect} in {each}") for each in statements]
    return tuple(rows)


def _place(statement: StatementRef) -> Place:
    return Place(
        path=f"{statement.document}.Statement[{statement.statement}]",
        key=f"{statement.document}.{statement.statement}",
        name=statement.sid,
    )


def _remedy(claim: dict[str, Any]) -> str | None:
    """Return the remedy of a claim; None when it holds."""
    answer = Answer(claim["answer"])
    if answer is Answer.HOLDS:
        return None
    if answer is Answer.FAILS:
        malformed = claim["counterexample"] is None and not claim["classes"]
        return sentence(_MALFORMED if malformed else _REMEDIES[claim["id"]])
    return _remedy_for_undecided([each["path"] for each in claim["undecided_by"]])


def _remedy_for_undecided(paths: list[str]) -> str:
    if paths == ["documents"]:
        told = ["Write the policies with fewer conditions and patterns."]
    else:
        members = ", ".join(paths)
        told = [f"Prove from AWS, as somebody who may read {members}: {FROM_AWS}."]
        absent = [each for each in ABSENT if any(path.endswith(each) for path in paths)]
        if absent:
            told.append(f"If you know them to be empty, add --assume-none {','.join(absent)}.")
    return " ".join(told)
