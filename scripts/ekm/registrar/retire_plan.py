"""What `retire` would do, step by step, without doing it: the protocol itself, rehearsed.

The very protocol is run; what only reads is carried out, and what would change something is
noted and taken as done. So the plan shows the same steps and refusals as the run after it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ekm.errors import Conflict, EkmError
from ekm.registrar import steps
from ekm.registrar.retire import Unwanted, retire
from ekm.registrar.walk import Walk

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ekm.registrar.record import Record
    from ekm.registrar.steps import Protocol, Step

__all__ = ["PlannedStep", "RetirePlan", "retire_plan"]


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """One thing that a run would do.

    Args:
        step: `archive_project`, `delete_registration`, `mark_record` or `delete_record`.
        what: In words, with the id.
        irreversible: What cannot be brought back afterwards; None where nothing is lost.
        needs: What a person must give for it, None where it just happens.
    """

    step: str
    what: str
    irreversible: str | None = None
    needs: str | None = None


@dataclass(frozen=True, slots=True)
class RetirePlan:
    """The steps in their order, and what stands in the way.

    Args:
        external_key_id: Of the registration; None where there is none.
        steps: What would be done; behind a refusal that a word can lift, what would follow it.
        refusal: Why a run as asked for would stop before its first step, or None.
    """

    external_key_id: str | None
    steps: tuple[PlannedStep, ...]
    refusal: EkmError | None


def retire_plan(unwanted: Unwanted) -> Protocol[RetirePlan]:
    """Rehearse `retire`; only reads are asked for, and no claim is made.

    Raises:
        BadInput, OpenAIRefused, NotReachable: As `retire`: then nothing is known of what is there.
    """
    rehearsal = _Rehearsal(unwanted)
    try:
        yield from rehearsal.run()
    except Conflict as refusal:
        if refusal.id == "active_projects" and refusal.at_fault:
            # What would follow once the word is given; nothing is asked again for it.
            rehearsal = _Rehearsal(replace(unwanted, confirm=refusal.at_fault), rehearsal.answers)
            yield from rehearsal.run()
        return RetirePlan(rehearsal.key_id, tuple(rehearsal.planned), refusal)
    return RetirePlan(rehearsal.key_id, tuple(rehearsal.planned), None)


class _Rehearsal:
    """One run of the protocol in which nothing is changed.

    Args:
        unwanted: As for `retire`.
        answers: What was read before, by the step that asked for it.
    """

    def __init__(self, unwanted: Unwanted, answers: dict[Step, Any] | None = None) -> None:
        self._unwanted = unwanted
        self.answers: dict[Step, Any] = {} if answers is None else answers
        self.planned: list[PlannedStep] = []
        self.key_id: str | None = None
        self._archived: set[str] = set()

    def run(self) -> Protocol[None]:
        walk = Walk(retire(self._unwanted))
        for step in walk:
            if isinstance(step, steps.WRITES):
                walk.outcome = self._noted(step)
            elif isinstance(step, steps.TryClaim | steps.Elapsed):
                walk.outcome = 0  # a plan holds nothing and waits for nothing
            elif not isinstance(step, steps.Wait | steps.Say):
                try:
                    walk.outcome = yield from self._asked(step)
                except EkmError as refused:
                    walk.failure = refused

    def _asked(self, step: Step) -> Protocol[Any]:
        if step not in self.answers:
            try:
                self.answers[step] = yield step
            except EkmError as failure:
                self.answers[step] = failure
        answer = self.answers[step]
        if isinstance(answer, EkmError):
            raise answer
        if isinstance(step, steps.FetchKey):
            self.key_id = step.id
            left = tuple(each for each in answer.api_project_ids if each not in self._archived)
            return replace(answer, api_project_ids=left)
        return answer

    def _noted(self, step: Step) -> Any:
        place = self._unwanted.place
        match step:
            case steps.ArchiveProject(id):
                self._archived.add(id)
                self.planned.append(_archive(id, self._names(), self._unwanted.confirm or ""))
            case steps.DeleteKey(id):
                self.key_id = id
                self.planned.append(_delete(id))
            case steps.WriteRecord(record):
                self.planned.append(_mark(place))
                return record
            case steps.DeleteRecord():
                self.planned.append(_forget(place))
        return None

    def _names(self) -> dict[str, str]:
        """Names of projects by id, from the record and from the list where that was asked for."""
        record: Record | None = self.answers.get(steps.ReadRecord())
        names = {known: name for name, known in record.projects.items()} if record else {}
        listed = self.answers.get(steps.ListProjects())
        if isinstance(listed, tuple):
            names |= {project.id: project.name or "" for project in listed}
        return names


def _archive(id: str, names: Mapping[str, str], key_id: str) -> PlannedStep:
    return PlannedStep(
        "archive_project",
        f"Archive the project {names.get(id) or '(unnamed)'} ({id}).",
        irreversible="OpenAI brings no archived project back: its API keys stop working, and what "
        "it stored can be reached through OpenAI no more.",
        needs=f"--confirm-archive {key_id} (or EKM_CONFIRM_ARCHIVE={key_id})",
    )


def _delete(id: str) -> PlannedStep:
    return PlannedStep(
        "delete_registration",
        f"Delete the registration {id} at OpenAI.",
        irreversible="The id is gone for good: registering the same role and key again gives "
        "another one, and no project moves to it. KMS key, role and policies stay as they are.",
    )


def _mark(place: str) -> PlannedStep:
    return PlannedStep("mark_record", f"Mark the record {place} as retired.")


def _forget(place: str) -> PlannedStep:
    return PlannedStep(
        "delete_record",
        f"Delete the record {place} and its claims.",
        irreversible="The record told which id and projects there had been; OpenAI's audit log "
        "still does.",
    )
