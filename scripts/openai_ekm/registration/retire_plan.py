"""Show each step of `retire` without doing it.

The plan runs the procedure itself. It carries out the steps that read. It notes each step that
would change something, and takes it as done. The plan therefore has the same steps and refusals as
the run after it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from openai_ekm.errors import Conflict, EkmError
from openai_ekm.registration import protocol
from openai_ekm.registration.protocol import ProtocolDriver
from openai_ekm.registration.retire import RetireRequest, retire

if TYPE_CHECKING:
    from collections.abc import Mapping

    from openai_ekm.registration.protocol import Procedure, Step
    from openai_ekm.registration.record import Record

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


def retire_plan(unwanted: RetireRequest) -> Procedure[RetirePlan]:
    """Rehearse `retire`; only reads are asked for, and no lease is taken.

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

    def __init__(self, unwanted: RetireRequest, answers: dict[Step, Any] | None = None) -> None:
        self._unwanted = unwanted
        self.answers: dict[Step, Any] = {} if answers is None else answers
        self.planned: list[PlannedStep] = []
        self.key_id: str | None = None
        self._archived: set[str] = set()

    def run(self) -> Procedure[None]:
        procedure = ProtocolDriver(retire(self._unwanted))
        for step in procedure:
            if isinstance(step, protocol.WRITES):
                procedure.outcome = self._note_step(step)
            elif isinstance(step, protocol.TryClaim | protocol.Elapsed):
                procedure.outcome = 0  # a plan holds nothing and waits for nothing
            elif not isinstance(step, protocol.Wait | protocol.Say):
                try:
                    procedure.outcome = yield from self._answer_step(step)
                except EkmError as refused:
                    procedure.failure = refused

    def _answer_step(self, step: Step) -> Procedure[Any]:
        if step not in self.answers:
            try:
                self.answers[step] = yield step
            except EkmError as failure:
                self.answers[step] = failure
        answer = self.answers[step]
        if isinstance(answer, EkmError):
            raise answer
        if isinstance(step, protocol.FetchKey):
            self.key_id = step.id
            left = tuple(each for each in answer.api_project_ids if each not in self._archived)
            return replace(answer, api_project_ids=left)
        return answer

    def _note_step(self, step: Step) -> Any:
        place = self._unwanted.place
        match step:
            case protocol.ArchiveProject(id):
                self._archived.add(id)
                self.planned.append(_archive(id, self._names(), self._unwanted.confirm or ""))
            case protocol.DeleteKey(id):
                self.key_id = id
                self.planned.append(_delete(id))
            case protocol.WriteRecord(record):
                self.planned.append(_mark(place))
                return record
            case protocol.DeleteRecord():
                self.planned.append(_forget(place))
        return None

    def _names(self) -> dict[str, str]:
        """Return names of projects by id, from the record and, if asked for, from the list."""
        record: Record | None = self.answers.get(protocol.ReadRecord())
        names = {known: name for name, known in record.projects.items()} if record else {}
        listed = self.answers.get(protocol.ListProjects())
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
        f"Delete the record {place} and its leases.",
        irreversible="The record told which id and projects there had been; OpenAI's audit log "
        "still does.",
    )
