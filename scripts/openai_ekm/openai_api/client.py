"""The calls that registering, validating and retiring need; each returns a value or raises.

Sources:
docs/reference/openai-api.md#lists, docs/reference/openai-api.md#external-keys,
docs/reference/openai-api.md#projects
"""

from __future__ import annotations

import json
import random
import re
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote

from openai_ekm.errors import BadInput
from openai_ekm.openai import OPENAI_ID
from openai_ekm.openai_api import constants, retry
from openai_ekm.openai_api.objects import (
    ExternalKey,
    NotAnObject,
    Project,
    audit_event,
    checked_id,
    limited,
)
from openai_ekm.openai_api.pacing import Pacer, Unpaced
from openai_ekm.openai_api.redaction import redact
from openai_ekm.openai_api.refusal_errors import ApiRefused, as_error
from openai_ekm.openai_api.refusals import Kind, Refusal, read_refusal
from openai_ekm.openai_api.transport import (
    AnswerLost,
    HttpRequest,
    HttpResponse,
    NeverSent,
    Transport,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

__all__ = ["AdminApi", "all_items"]


def all_items(fetch: Callable[[str | None], Mapping[str, Any]]) -> list[object]:
    """Return the items of every page.

    Args:
        fetch: Takes the cursor (None for the first page), returns the page.

    Raises:
        NotAnObject: `data` or `has_more` is missing, a cursor is missing, is no id or repeats, or
            there are more than 1000 pages: half a list must not pass for a whole one.
    """
    items: list[object] = []
    cursors: set[str] = set()
    cursor: str | None = None
    for _ in range(constants.MOST_PAGES):
        page = fetch(cursor)
        found, more = page.get("data"), page.get("has_more")
        if not isinstance(found, list) or not isinstance(more, bool):
            raise NotAnObject("the list has no data or no has_more")
        items += found
        if not more:
            return items
        last = page.get("last_id")
        if last is None or last == "":
            raise NotAnObject("the list says that there is more, and not from where")
        cursor = checked_id(last)
        if cursor in cursors:
            raise NotAnObject(f"the list repeats its cursor {cursor}")
        cursors.add(cursor)
    raise NotAnObject(f"the list has more than {constants.MOST_PAGES} pages")


T = TypeVar("T")
Item = TypeVar("Item", ExternalKey, Project)

_KEYS = "/organization/external_keys"
_KEY = "/organization/external_keys/{id}"
_PROJECTS = "/organization/projects"
_PROJECT = "/organization/projects/{id}"
_AUDIT_LOGS = "/organization/audit_logs"
_PAGE_SIZE = ("limit", str(constants.PAGE_SIZE))
_EKM = ("purpose", "ekm")
_SUCCESS = range(200, 300)
_REQUEST_ID = re.compile(r"[A-Za-z0-9_.:/+=-]{1,128}")


class AdminApi:
    """OpenAI's Admin API, as far as external keys and projects go.

    Args:
        transport: Makes one exchange.
        pacer: Waits before each call.
        sleep: Takes seconds.
        progress: Takes a line for stderr, when a repeat is more than two seconds away.
        chance: Returns a number between 0 and 1, for jitter.
        now: Current time, for a Retry-After that is a date.
    """

    def __init__(
        self,
        transport: Transport,
        *,
        pacer: Pacer | None = None,
        sleep: Callable[[float], None] = time.sleep,
        progress: Callable[[str], None] = lambda _line: None,
        chance: Callable[[], float] = random.random,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._transport = transport
        self.pacer: Pacer = pacer or Unpaced()
        self._sleep = sleep
        self._progress = progress
        self._chance = chance
        self._now = now
        self.calls = 0
        self.organization: str | None = None  # that the key is of, once an answer has told
        self.request_id: str | None = None  # OpenAI's, of the last answer

    def list_external_keys(self) -> tuple[ExternalKey, ...]:
        """Return every registration whose purpose is `ekm`, as the API lists them."""
        return _once_each(self._list(_KEYS, [_PAGE_SIZE, _EKM], ExternalKey.parse))

    def try_external_keys(self) -> None:
        """Ask for one registration, to see whether the admin key may."""
        self._send(_request("GET", _KEYS, query=[("limit", "1"), _EKM]), retry.SAFE)

    def try_projects(self) -> None:
        """Ask for one project, to see whether the admin key may."""
        self._send(_request("GET", _PROJECTS, query=[("limit", "1")]), retry.SAFE)

    def has_project(self, id: str) -> bool:
        """Return whether the organization has a project; False is what any 404 says."""
        return self._send_unless_missing(_request("GET", _PROJECT, id), retry.SAFE)

    def get_external_key(self, id: str) -> ExternalKey:
        """Return a registration.

        Raises:
            ApiRefused: Kind GONE only when OpenAI says exactly that.
        """
        request = _request("GET", _KEY, id)
        return _parse(request, self._send(request, retry.SAFE, id), ExternalKey.parse)

    def create_external_key(
        self, *, name: str, role_arn: str, kms_arn: str, external_id: str
    ) -> ExternalKey:
        """Register a key; never sent twice unless the first was refused as rate-limited.

        Raises:
            ApiUnclear: It may have happened: list and adopt.
        """
        body = {
            "type": "aws",
            "purpose": "ekm",
            "name": name,
            "role_arn": role_arn,
            "kms_arn": kms_arn,
            "external_id": external_id,
        }
        request = _request("POST", _KEYS, body=body)
        return _parse(request, self._send(request, retry.ONCE), ExternalKey.parse)

    def validate_external_key(self, id: str) -> None:
        """Ask OpenAI to use the key now. It changes nothing, so it may be repeated.

        Raises:
            ApiRefused: OpenAI cannot use it; the message has AWS's words.
        """
        request = _request("POST", f"{_KEY}/validate", id)
        answer = self._send(request, retry.SAFE, id)
        status = answer.get("status")
        if status != "success":
            shown = limited(status) if isinstance(status, str) else type(status).__name__
            refusal = Refusal(Kind.NOT_VALIDATED, 200, f"status {redact(json.dumps(shown))[:200]}")
            raise as_error(refusal, f"{request.method} {request.path}")

    def delete_external_key(self, id: str) -> None:
        """Delete a registration; nothing in AWS changes.

        Raises:
            ApiRefused: Kind GONE or IN_USE among others.
        """
        self._send(_request("DELETE", _KEY, id), retry.ONCE, id)

    def list_projects(self) -> tuple[Project, ...]:
        """Return every active project of the organization."""
        found = _once_each(self._list(_PROJECTS, [_PAGE_SIZE], Project.parse))
        return tuple(project for project in found if not project.archived)

    def list_audit_events(self, resource_ids: Sequence[str]) -> tuple[dict[str, Any], ...]:
        """Return the events of the audit log about some keys and projects, newest first.

        Args:
            resource_ids: Ids of external keys and projects.

        Source: docs/reference/openai-api.md#audit-log
        """
        query = [_PAGE_SIZE, *(("resource_ids[]", each) for each in resource_ids)]
        return tuple(self._list(_AUDIT_LOGS, query, audit_event))

    def create_project(self, *, name: str, external_key_id: str) -> Project:
        """Create a project that is encrypted from its first moment.

        Raises:
            ApiUnclear: It may have happened: list and adopt.
        """
        body = {"name": name, "external_key_id": external_key_id}
        request = _request("POST", _PROJECTS, body=body)
        return _parse(request, self._send(request, retry.ONCE, external_key_id), Project.parse)

    def archive_project(self, id: str) -> bool:
        """Archive a project, for good; False when it is not there, which any 404 says.

        Source: docs/reference/openai-api.md#projects
        """
        return self._send_unless_missing(_request("POST", f"{_PROJECT}/archive", id), retry.ONCE)

    def _list(
        self, path: str, query: list[tuple[str, str]], parse: Callable[[object], T]
    ) -> list[T]:
        def fetch(cursor: str | None) -> Mapping[str, Any]:
            after = [] if cursor is None else [("after", cursor)]
            return self._send(_request("GET", path, query=[*query, *after]), retry.SAFE)

        try:
            return [parse(item) for item in all_items(fetch)]
        except NotAnObject as failure:
            raise _unreadable(f"GET {path}", failure) from None

    def _send_unless_missing(self, request: HttpRequest, repeats: frozenset[Kind]) -> bool:
        """Send, and return whether it was there: False for any 404."""
        try:
            self._send(request, repeats)
        except ApiRefused as refused:
            if refused.refusal.kind is not Kind.NOT_FOUND:
                raise
            return False
        return True

    def _send(
        self, request: HttpRequest, repeats: frozenset[Kind], external_key_id: str | None = None
    ) -> Mapping[str, Any]:
        """Send, repeat after these kinds of refusals, and return the object of a 2xx answer."""
        attempt = 0
        while True:
            attempt += 1
            self.pacer.wait(request.endpoint)
            outcome = self._attempt(request, external_key_id)
            if not isinstance(outcome, Refusal):
                return outcome
            delay = retry.delay(repeats, outcome, attempt, self._chance())
            if delay is None:
                raise as_error(outcome, f"{request.method} {request.path}")
            if outcome.kind is Kind.RATE_LIMITED:
                self.pacer.back_off(request.endpoint, delay)
                self.pacer.waited += delay
            if delay > constants.TELL_AFTER:
                self._progress(
                    f"{request.endpoint} {_describe_outcome(outcome)}; "
                    f"again in {delay:.0f} s (attempt {attempt + 1} of {constants.MOST_ATTEMPTS})."
                )
            self._sleep(delay)

    def _attempt(
        self, request: HttpRequest, external_key_id: str | None
    ) -> Mapping[str, Any] | Refusal:
        self.calls += 1
        try:
            response = self._transport.send(request)
        except NeverSent as failure:
            stays = None if failure.remedy is None else False
            return Refusal(
                Kind.UNREACHABLE, 0, str(failure), should_retry=stays, remedy=failure.remedy
            )
        except AnswerLost as failure:
            return Refusal(Kind.AMBIGUOUS, 0, f"(no whole answer: {failure})")
        return self._read(response, external_key_id)

    def _read(
        self, response: HttpResponse, external_key_id: str | None
    ) -> Mapping[str, Any] | Refusal:
        request_id = _of_form(_REQUEST_ID, response.headers.get("x-request-id"))
        organization = _of_form(OPENAI_ID, response.headers.get("openai-organization"))
        self.organization = organization or self.organization
        self.request_id = request_id
        if response.status in _SUCCESS:
            try:
                answer = json.loads(response.body)
            except (ValueError, RecursionError):
                answer = None
            if isinstance(answer, dict):
                return answer
        return read_refusal(
            response.status,
            response.body,
            content_type=response.headers.get("content-type", ""),
            location=response.headers.get("location"),
            external_key_id=external_key_id,
            request_id=request_id,
            retry_after=retry.retry_after(response.headers, self._now()),
            should_retry=retry.should_retry(response.headers),
        )


def _of_form(form: re.Pattern[str], header: str | None) -> str | None:
    """Return a header's value if it has the header's form, else None."""
    return header if header is not None and form.fullmatch(header) else None


def _describe_outcome(outcome: Refusal) -> str:
    """Return what a call met, in words: a call that was not answered has no status."""
    if not outcome.status:
        return "got no answer"
    return f"answered HTTP {outcome.status} ({outcome.kind.value})"


def _request(
    method: str,
    template: str,
    id: str | None = None,
    *,
    query: Sequence[tuple[str, str]] = (),
    body: Mapping[str, object] | None = None,
) -> HttpRequest:
    """Return a call of an endpoint, whose template has `{id}` where an id stands."""
    path = template if id is None else template.replace("{id}", _segment(id))
    return HttpRequest(method, path, f"{method} {template}", query=tuple(query), body=body)


def _segment(id: str) -> str:
    """Percent-encode an id for a path. Source: docs/reference/openai-api.md#retries."""
    if id in {"", ".", ".."}:
        raise BadInput(
            "id_malformed",
            f"The id {id!r} cannot stand in a path of OpenAI's API.",
            remedy="Give the id as OpenAI shows it, extkey_… or proj_….",
        )
    return quote(id, safe="")


def _parse(request: HttpRequest, answer: object, parse: Callable[[object], T]) -> T:
    try:
        return parse(answer)
    except NotAnObject as failure:
        raise _unreadable(request.endpoint, failure) from None


def _once_each(listed: list[Item]) -> tuple[Item, ...]:
    """Return each once, though it is on two pages, since the list changed meanwhile."""
    return tuple({item.id: item for item in listed}.values())


def _unreadable(asked: str, failure: NotAnObject) -> Exception:
    return as_error(Refusal(Kind.AMBIGUOUS, 200, f"({failure})"), asked)
