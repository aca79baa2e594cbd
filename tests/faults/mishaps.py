"""What can go wrong at a point, by name; each says how the process that meets it must end."""

from __future__ import annotations

import errno
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import requests
from botocore.exceptions import ConnectTimeoutError, EndpointConnectionError, ReadTimeoutError
from urllib3.exceptions import ConnectTimeoutError as UrllibConnectTimeout
from urllib3.exceptions import NewConnectionError, ProtocolError

from tests.doubles.fault_points import Point, Wire
from tests.doubles.record_stores import aws_error

if TYPE_CHECKING:
    from collections.abc import Callable

SURVIVED = "0"
KILLED = "killed"


@dataclass(frozen=True)
class Mishap:
    """One thing that goes wrong.

    Args:
        words: For the table.
        happens: Takes the point, returns what its `commit` would, or raises.
        ends: How the process ends: exit code and error id.
    """

    words: str
    happens: Callable[[Point], Any]
    ends: str = SURVIVED

    def __call__(self, point: Point) -> Any:
        """Happen."""
        return self.happens(point)


# The network, and what answers in OpenAI's place


def _refused(point: Point) -> Wire:
    cause = NewConnectionError(None, "[Errno 111] Connection refused")  # type: ignore[arg-type]
    raise requests.exceptions.ConnectionError(cause, request=point.request)


def _no_connection(point: Point) -> Wire:
    point.stage.sleep(10)
    raise requests.exceptions.ConnectTimeout(UrllibConnectTimeout("timed out"))


def _reset(point: Point) -> Wire:
    cause = ProtocolError("Connection aborted.", ConnectionResetError(104, "reset by peer"))
    raise requests.exceptions.ConnectionError(cause, request=point.request)


def _timed_out(point: Point) -> Wire:
    point.stage.sleep(60)
    raise requests.exceptions.ReadTimeout("Read timed out.", request=point.request)


def _after(happens: Callable[[Point], Any]) -> Callable[[Point], Any]:
    """The same, once it was carried out."""

    def mishap(point: Point) -> Any:
        point.commit()
        return happens(point)

    return mishap


def _answers(
    status: int, body: object = None, *, html: bool = False, **headers: str
) -> Callable[[Point], Wire]:
    text = b"<html><h1>Bad gateway</h1></html>" if html else json.dumps(body).encode()
    kind = {"content-type": "text/html" if html else "application/json"}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda _point: Wire(status, kind | named, text)


def _error(status: int, message: str, code: str | None = None) -> Callable[[Point], Wire]:
    error = {"message": message, "type": "invalid_request_error", "param": None, "code": code}
    return _answers(status, {"error": error}, x_request_id="req_mishap")


def _reshaped(change: Callable[[Wire], Wire]) -> Callable[[Point], Wire]:
    return lambda point: change(point.commit())


def _redirected_here(point: Point) -> Wire:
    assert point.request is not None
    return Wire(307, {"location": str(point.request.url)})


SERVER_ERROR = "The server had an error while processing your request."
SCOPES = (
    "You have insufficient permissions for this operation. Missing scopes: "
    "api.external_keys.write. Check that you have the correct role."
)

HTTP: dict[str, Mishap] = {
    "connection_refused": Mishap("connection refused", _refused),
    "connect_timeout": Mishap("no connection in time", _no_connection),
    "reset_before": Mishap("reset before it was done", _reset),
    "reset_after": Mishap("reset after it was done", _after(_reset)),
    "timeout_before": Mishap("no answer in time, not done", _timed_out),
    "timeout_after": Mishap("no answer in time, done", _after(_timed_out)),
    "limited_timed": Mishap("429 with Retry-After", _answers(429, {"error": "x"}, retry_after="3")),
    "limited_bare": Mishap("429 without Retry-After", _answers(429, {"error": "x"})),
    "limited_long": Mishap(
        "429, Retry-After of an hour",
        _answers(429, {"error": "Slow down."}, retry_after="3600"),
        "4 openai_rate_limited",
    ),
    **{
        f"error_{status}_{when}": Mishap(f"{status} {words}", mishap)
        for status in (500, 502, 503)
        for when, words, mishap in (
            ("before", "before it was done", _error(status, SERVER_ERROR)),
            ("after", "after it was done", _after(_error(status, SERVER_ERROR))),
        )
    },
    "request_timeout": Mishap("408", _error(408, "Request timed out.")),
    "proxy_before": Mishap("502, a proxy's HTML, not done", _answers(502, html=True)),
    "proxy_after": Mishap("504, a proxy's HTML, done", _after(_answers(504, html=True))),
    "captive": Mishap("200, a portal's HTML, not done", _answers(200, html=True)),
    "cut_short": Mishap(
        "200, cut short", _reshaped(lambda w: Wire(w.status, w.headers, w.body, cut=True))
    ),
    "not_json": Mishap(
        "200, not JSON", _reshaped(lambda w: Wire(w.status, w.headers, w.body[:-1]))
    ),
    "empty": Mishap("200, empty", _reshaped(lambda w: Wire(w.status, w.headers))),
    "status_201": Mishap("201 instead of 200", _reshaped(lambda w: Wire(201, w.headers, w.body))),
    "redirect_elsewhere": Mishap(
        "redirect to another host",
        lambda _point: Wire(302, {"location": "https://elsewhere.invalid/"}),
        "4 openai_redirected",
    ),
    "redirect_here": Mishap("redirect on the same host", _redirected_here, "4 openai_redirected"),
    "bare_string": Mishap(
        "400, a bare string", _answers(400, {"error": "That is wrong."}), "4 openai_refused"
    ),
    "no_error_member": Mishap("400 without `error`", _answers(400, {}), "4 openai_refused"),
    "scope_missing": Mishap(
        "403, scope missing (bare string)",
        _answers(403, {"error": SCOPES}),
        "4 openai_scope_missing",
    ),
    "scope_missing_401": Mishap(
        "401, scope missing (bare string)",
        _answers(401, {"error": SCOPES}),
        "4 openai_scope_missing",
    ),
    "feature_off": Mishap(
        "404 `Unsupported endpoint`", _error(404, "Unsupported endpoint"), "4 openai_feature_off"
    ),
    "other_404": Mishap("404 of another text", _error(404, "Not Found"), "4 openai_not_found"),
    "wrong_host": Mishap(
        "401, wrong host",
        _error(
            401,
            "Attempted to access resource with incorrect regional hostname.",
            "incorrect_hostname",
        ),
        "4 openai_wrong_host",
    ),
    "invalid_key": Mishap(
        "401, key not accepted",
        _error(401, "Incorrect API key provided.", "invalid_api_key"),
        "4 openai_invalid_key",
    ),
}

# The process and its clock, at any point


def _jumps(seconds: float) -> Callable[[Point], Any]:
    def mishap(point: Point) -> Any:
        point.stage.skew += seconds
        return point.commit()

    return mishap


def _killed_before(point: Point) -> Any:
    raise point.run.die()


def _killed_after(point: Point) -> Any:
    point.commit()
    raise point.run.die()


PROCESS: dict[str, Mishap] = {
    "clock_forward": Mishap("clock set forward a day", _jumps(86400)),
    "clock_back": Mishap("clock set back a day", _jumps(-86400)),
    "killed_before": Mishap("killed before it", _killed_before, KILLED),
    "killed_after": Mishap("killed after it", _killed_after, KILLED),
}

# SSM


def _raises(make: Callable[[], Exception]) -> Callable[[Point], Any]:
    def mishap(_point: Point) -> Any:
        raise make()

    return mishap


URL = "https://ssm.eu-west-1.amazonaws.com/"
SSM: dict[str, Mishap] = {
    "unreachable": Mishap(
        "AWS not reachable",
        _raises(lambda: EndpointConnectionError(endpoint_url=URL)),
        "5 aws_not_reachable",
    ),
    "connect_timeout": Mishap(
        "no connection in time",
        _raises(lambda: ConnectTimeoutError(endpoint_url=URL)),
        "5 aws_not_reachable",
    ),
    "timeout_after": Mishap(
        "no answer in time, done",
        _after(_raises(lambda: ReadTimeoutError(endpoint_url=URL))),
        "5 aws_not_reachable",
    ),
    "failed": Mishap(
        "500 of AWS's",
        _raises(lambda: aws_error("InternalServerError", 500)),
        "5 aws_not_reachable",
    ),
    "throttled": Mishap(
        "throttled to the end",
        _raises(lambda: aws_error("ThrottlingException", 400)),
        "3 aws_refused",
    ),
    "denied": Mishap(
        "access denied", _raises(lambda: aws_error("AccessDeniedException", 400)), "3 aws_refused"
    ),
    "expired": Mishap(
        "credentials expired",
        _raises(lambda: aws_error("ExpiredTokenException", 400)),
        "3 aws_credentials_refused",
    ),
}

# A file


def _disk_full(point: Point) -> Any:
    if point.label == "flush record":
        raise OSError(errno.ENOSPC, "No space left on device")
    return point.commit()


FILE: dict[str, Mishap] = {
    "disk_full": Mishap("no space left on the disk", _disk_full, "2 record_not_written"),
}


__all__ = ["FILE", "HTTP", "KILLED", "PROCESS", "SSM", "SURVIVED", "Mishap"]
