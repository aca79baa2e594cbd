"""No more calls a minute than allowed, over processes that share a folder."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from openai_ekm.openai_api.pacing import WindowPacer, state_folder
from openai_ekm.openai_api.rate_limit import LONGEST_NAP, SPAN, Window, minutes_at_pace
from tests.support.other_users import open_to_others, shared_folder

URL = "https://api.openai.com/v1"
KEYS = "POST /organization/external_keys"


class Time:
    """Seconds that only a sleep moves."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        """Read it."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Move on."""
        self.now += seconds


def pacer(
    folder: Path, time: Time, lines: list[str] | None = None, limit: int = 6, url: str = URL
) -> WindowPacer:
    """A pacer of its own, as another process would have."""
    said = lines if lines is not None else []
    return WindowPacer(
        limit, url, folder=folder, clock=time, sleep=time.sleep, progress=said.append
    )


def test_fresh_registration_does_not_wait(tmp_path: Path) -> None:
    """The first registration of the day waits for no reason."""
    time = Time()
    lines: list[str] = []
    paced = pacer(tmp_path, time, lines)
    for endpoint in ("GET /k", KEYS, "POST /k/{id}/validate", "POST /p"):
        paced.wait(endpoint)
    assert (paced.waited, lines) == (0.0, [])


def test_counts_are_private_and_in_no_folder_of_others() -> None:
    """Another user could hold back every call, or read how often somebody calls."""
    with shared_folder() as shared:
        pacer(shared / "state", Time()).wait(KEYS)
        files = list((shared / "state").iterdir())
        assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
        counts = [file.read_bytes() for file in files]
        open_to_others(shared / "state")
        pacer(shared / "state", Time()).wait(KEYS)
        assert [file.read_bytes() for file in files] == counts
        (shared / "strange").mkdir()
        open_to_others(shared / "strange")
        pacer(shared / "strange", Time()).wait(KEYS)
        assert list((shared / "strange").iterdir()) == []


def test_no_minute_has_more_than_the_limit(tmp_path: Path) -> None:
    """A burst after a pause, as a token bucket allows, runs into OpenAI's limit."""
    time = Time()
    paced = pacer(tmp_path, time)
    moments = []
    for index in range(40):
        time.sleep(index % 7)
        paced.wait(KEYS)
        moments.append(time.now)
    for moment in moments:
        assert sum(moment <= other < moment + 60 for other in moments) <= 6


def test_two_processes_share_one_window(tmp_path: Path) -> None:
    """Each process takes the whole limit for itself."""
    time = Time()
    one, two = pacer(tmp_path, time), pacer(tmp_path, time)
    for _ in range(3):
        one.wait(KEYS)
        two.wait(KEYS)
    assert time.now == 1_000_000.0
    two.wait(KEYS)
    assert time.now == pytest.approx(1_000_000.0 + SPAN)
    assert two.waited == pytest.approx(SPAN)


def test_hosts_and_endpoints_are_counted_apart(tmp_path: Path) -> None:
    """Calls to one endpoint hold up those to another."""
    time = Time()
    for _ in range(6):
        pacer(tmp_path, time).wait(KEYS)
    pacer(tmp_path, time).wait("GET /organization/projects")
    pacer(tmp_path, time, url="https://eu.api.openai.com/v1").wait(KEYS)
    assert time.now == 1_000_000.0


def test_waiting_is_announced_with_the_setting_that_rules_it(tmp_path: Path) -> None:
    """A run stands still for a minute and says nothing."""
    time = Time()
    lines: list[str] = []
    paced = pacer(tmp_path, time, lines, limit=1)
    paced.wait(KEYS)
    paced.wait(KEYS)
    assert len(lines) == 1
    assert f"{SPAN:.0f} s" in lines[0]
    assert "EKM_CALLS_PER_MINUTE" in lines[0]


def test_back_off_holds_every_process_back(tmp_path: Path) -> None:
    """A 429 that one process met is met by all the others too."""
    time = Time()
    pacer(tmp_path, time).back_off(KEYS, 90.0)
    pacer(tmp_path, time).wait(KEYS)
    assert time.now == pytest.approx(1_000_090.0)


def test_clock_set_back_does_not_hold_up(tmp_path: Path) -> None:
    """After the clock is set back by an hour, every call waits for an hour."""
    time = Time()
    paced = pacer(tmp_path, time, limit=1)
    paced.wait(KEYS)
    time.now -= 3600
    paced.wait(KEYS)
    assert paced.waited == 0.0


@pytest.mark.parametrize(
    "content", ["", "{", "[1]", '{"x": 1}', '{"x": ["y"]}', "null", '{"GET /k": [1.5]}']
)
def test_broken_state_is_begun_anew(tmp_path: Path, content: str) -> None:
    """A state file that was cut short stops every run of the user."""
    time = Time()
    paced = pacer(tmp_path, time)
    paced.wait(KEYS)
    next(tmp_path.glob("calls-*.json")).write_text(content)
    paced.wait(KEYS)
    assert paced.waited == 0.0


def test_folder_that_cannot_be_written_paces_alone(tmp_path: Path) -> None:
    """A read-only home stops the run, or turns pacing off."""
    file = tmp_path / "a-file"
    file.write_text("")
    time = Time()
    paced = pacer(file / "below", time, limit=1)
    paced.wait(KEYS)
    paced.wait(KEYS)
    assert paced.waited == pytest.approx(SPAN)


def test_a_429_narrows_the_window_for_all_which_then_recovers() -> None:
    """After a 429 the same burst goes out again, or the pace stays low for ever."""
    window = Window()
    window.refused(5.0, 7, now=1000.0)
    window.refused(5.0, 7, now=1001.0)  # the same burst
    assert window.allowed(7, 1001.0) == 4
    window.refused(5.0, 7, now=1070.0)
    assert window.allowed(7, 1070.0) == 2
    window.refused(5.0, 1, now=1140.0)
    assert window.allowed(7, 1140.0) == 1
    pace = [window.allowed(7, 1140.0 + 2 * SPAN * step) for step in range(8)]
    assert pace == [1, 2, 3, 4, 5, 6, 7, 7]


def test_a_server_that_allows_less_is_met_with_few_refusals(tmp_path: Path) -> None:
    """A limit below the configured one means a refusal for every other call."""
    time = Time()
    paced = pacer(tmp_path, time, limit=7)
    passed: list[float] = []
    refused = 0
    while len(passed) < 100:
        paced.wait(KEYS)
        if sum(moment > time.now - 60 for moment in passed) >= 3:
            refused += 1
            paced.back_off(KEYS, 5.0)
        else:
            passed.append(time.now)
    assert refused < 30
    assert time.now - 1_000_000.0 < 100 / 3 * 60 * 1.7


def test_those_who_wait_are_served_in_their_order() -> None:
    """A newcomer takes the turn of one who has waited for a minute, again and again."""
    window = Window()
    for _ in range(2):
        assert window.turn("first", 2, 0.0) == (0.0, 0.0)
    assert window.turn("slow", 2, 1.0) == (SPAN - 1, LONGEST_NAP)
    assert window.turn("next", 2, 2.0)[0] == SPAN - 2
    for moment in (11.0, 21.0, 31.0, 41.0, 51.0, 61.0):
        for ticket in ("slow", "next"):
            window.turn(ticket, 2, moment)
    newcomer = window.turn("newcomer", 2, SPAN)
    assert newcomer[0] == pytest.approx(SPAN)  # both turns are spoken for
    assert window.turn("next", 2, SPAN + 0.1)[0] == 0.0
    assert window.turn("slow", 2, SPAN + 0.2)[0] == 0.0


def test_one_who_died_waiting_holds_nobody_up_for_long() -> None:
    """A killed process keeps its place, and the queue behind it stands still."""
    window = Window()
    window.turn("made", 1, 0.0)
    window.turn("dead", 1, 1.0)
    window.turn("alive", 1, 2.0)
    for moment in range(12, 60, 10):
        left, _ = window.turn("alive", 1, float(moment))
    assert left <= SPAN - 52
    assert window.turn("alive", 1, SPAN)[0] == 0.0


def test_who_is_interrupted_leaves_the_queue(tmp_path: Path) -> None:
    """After Ctrl-C the next run waits behind one that is not there."""
    time = Time()
    pacer(tmp_path, time, limit=1).wait(KEYS)

    def interrupt(_seconds: float) -> None:
        raise KeyboardInterrupt

    stopped = WindowPacer(1, URL, folder=tmp_path, clock=time, sleep=interrupt)
    with pytest.raises(KeyboardInterrupt):
        stopped.wait(KEYS)
    state = json.loads(next(tmp_path.glob("calls-*.json")).read_text())
    assert state[KEYS]["queue"] == []


def test_the_pace_is_fit_for_seven_calls_a_minute() -> None:
    """Calls that leave a window apart and arrive closer together are an eighth in a minute."""
    assert SPAN > 60.0
    assert minutes_at_pace(7, 7) == 0.0
    assert minutes_at_pace(8, 7) == SPAN / 60
    assert minutes_at_pace(1000, 7) == 142 * SPAN / 60


def test_state_is_for_this_user_alone(tmp_path: Path) -> None:
    """Another user of the machine can change the counts."""
    folder = tmp_path / "state"
    pacer(folder, Time()).wait(KEYS)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_state_folder_follows_xdg(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """State lands where the user did not ask for it; a relative or empty value counts as unset."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert state_folder() == tmp_path / "openai-ekm"
    monkeypatch.setenv("HOME", "/home/somebody")
    for value in ("", "relative"):
        monkeypatch.setenv("XDG_STATE_HOME", value)
        assert state_folder() == Path("/home/somebody/.local/state/openai-ekm")
