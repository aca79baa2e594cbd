"""A fleet file four times as large takes about four times the work, whatever is in it."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING

import pytest

from openai_ekm.cli.session import parse_record_location
from openai_ekm.errors import BadInput
from openai_ekm.fleet.manifest import parse, with_projects

if TYPE_CHECKING:
    from collections.abc import Callable

TIMES = 4
# Linear work takes 4 times as long, and quadratic 16 times: between them is room for noise.
MOST = 9


def head(projects: list[str]) -> str:
    """The beginning of a fleet file whose entries share these projects."""
    return (
        "schema: ekm-fleet/1\n"
        "defaults:\n"
        "  role_arn: arn:aws:iam::111122223333:role/x\n"
        "  external_id: org-abc\n"
        "  record: 'file:{name}.json'\n"
        f"  projects: [{', '.join(projects)}]\n"
    )


def entries(count: int) -> str:
    """As many entries."""
    arn = "arn:aws:kms:eu-west-1:111122223333:alias/"
    return "entries:\n" + "".join(
        f"- {{name: n{index}, kms_arn: '{arn}{index}'}}\n" for index in range(count)
    )


def unknown_members(size: int) -> str:
    """A file of members that are none."""
    return head([]) + "".join(f"u{index}: x\n" for index in range(10 * size))


def unknown_members_of_an_entry(size: int) -> str:
    """An entry of members that are none."""
    return head([]) + "entries:\n-\n" + "".join(f"  u{index}: x\n" for index in range(10 * size))


def shared_projects(size: int) -> str:
    """Many entries that share many projects by the defaults."""
    return head([f"p{index}" for index in range(size)]) + entries(size)


def work(text: str) -> float:
    """Seconds of this thread's processor time: how busy the machine is does not count."""
    begun = time.thread_time()
    with contextlib.suppress(BadInput):
        with_projects(parse(text, "f", parse_record_location), ("more",))
    return time.thread_time() - begun


@pytest.mark.parametrize("kind", [unknown_members, unknown_members_of_an_entry, shared_projects])
def test_work_grows_with_the_file(kind: Callable[[int], str]) -> None:
    """Guards against: ten seconds for a file of 140 kB, and forty for 20,000 unknown members."""
    size = 400
    small, large = kind(size), kind(TIMES * size)
    assert min(work(large) for _ in range(2)) < MOST * min(work(small) for _ in range(3))


@pytest.mark.parametrize(
    ("member", "shown"),
    [
        ("name: " + "1" * 5000, "which is not text"),
        ("name: 1:59:59", "1:59:59, which is not text"),
        ("name: 2001-99-99", "2001-99-99, which is not text"),
        ("name: 1e9999", "1e9999"),
        ("name: .inf", ".inf, which is not text"),
        ("projects: [1, 2]", "which is no list of names"),
        ("projects: {a: b}", "which is no list of names"),
        ('name: "\\ud800"', "name"),
        ("[a]: b", "unhashable"),
    ],
)
def test_a_scalar_that_is_no_text_is_refused_as_it_stands(member: str, shown: str) -> None:
    """Guards against: a huge number, or a date that does not exist, ends in a defect of ours."""
    name = "" if "name" in member else ", name: x"
    text = head([]) + f"entries:\n- {{{member}{name}, kms_arn: x}}\n"
    with pytest.raises(BadInput) as raised:
        parse(text, "f", parse_record_location)
    assert shown in raised.value.message
    assert len(raised.value.message) < 500
