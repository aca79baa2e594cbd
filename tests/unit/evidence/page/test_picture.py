"""The picture: every box holds its text, every line ends at a box, nothing lies outside."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openai_ekm.evidence.page.access import Kind, State, Way
from openai_ekm.evidence.page.picture import STATE_WORDS, describe, narrow, wide
from openai_ekm.evidence.page.shapes import Box, Picture, Subject
from openai_ekm.evidence.page.text import cells

SUBJECT = Subject(
    openai="EnterpriseKeyManagement",
    openai_account="790389265272",
    role="openai-ekm",
    external_id="org-abc",
    key="11111111-2222-3333-4444-555555555555",
    key_state="Enabled, eu-west-1",
    account="111122223333",
)
CELL = {"name": 7.83, "note": 7.23}


def way(kind: Kind, state: State = State.PROVEN, target: str = "key", who: str = "x") -> Way:
    """A way of this kind."""
    does = "changes the policy, deletes, disables, gives grants and replicates"
    return Way(1, kind, who, does, (), target, (), (), state)


NAMES = st.text(max_size=300)
WAYS = st.lists(
    st.builds(
        way,
        st.sampled_from([Kind.ADMINISTRATOR, Kind.STRANGER]),
        st.sampled_from(list(State)),
        st.sampled_from(["role", "key"]),
        NAMES,
    ),
    max_size=9,
)


def drawn(others: list[Way], subject: Subject = SUBJECT) -> list[Picture]:
    """Both layouts of OpenAI, the role, these and the account's administrators."""
    members = [way(Kind.OPENAI, target="role"), way(Kind.ROLE), *others]
    members.append(way(Kind.IAM, State.NOT_SEEN, "role"))
    numbered = [replace(each, number=index) for index, each in enumerate(members, start=1)]
    return [
        wide(subject, numbered, all_seen=not others),
        narrow(subject, numbered, all_seen=not others),
    ]


@settings(max_examples=30)
@given(WAYS, NAMES)
def test_text_stays_in_its_box(others: list[Way], name: str) -> None:
    """Guards against: a long name that runs over the next box."""
    subject = replace(SUBJECT, role=name, key=name, external_id=name, key_state=name)
    for picture in drawn(others, subject):
        for box in picture.boxes:
            for line in box.lines:
                assert box.y < line.y < box.bottom
                if line.style in CELL:
                    assert line.x + CELL[line.style] * cells(line.text) <= box.right


@settings(max_examples=30)
@given(WAYS)
def test_nothing_lies_outside_and_no_boxes_meet(others: list[Way]) -> None:
    """Guards against: a box below the edge, or on another one."""
    for picture in drawn(others):
        for box in picture.boxes:
            assert 0 <= box.x < box.right <= picture.width
            assert 0 <= box.y < box.bottom <= picture.height
        for zone in picture.zones:
            assert zone.x + zone.width <= picture.width
            assert zone.y + zone.height <= picture.height
        for index, one in enumerate(picture.boxes):
            assert not any(meet(one, other) for other in picture.boxes[index + 1 :])


@settings(max_examples=30)
@given(WAYS)
def test_a_line_joins_two_boxes_and_crosses_none(others: list[Way]) -> None:
    """Guards against: an arrow that ends nowhere, or that goes through somebody else's box."""
    for picture in drawn(others):
        for arrow in picture.arrows:
            ends = [arrow.points[0], arrow.points[-1]]
            touched = [box for box in picture.boxes for at in ends if on_edge(at, box)]
            assert len({id(box) for box in touched}) == 2, arrow
            for (x, y), (other_x, other_y) in pairwise(arrow.points):
                assert x == other_x or y == other_y
                part = Box(
                    min(x, other_x), min(y, other_y), abs(x - other_x), abs(y - other_y), "", ()
                )
                assert not any(inside(part, box) for box in picture.boxes)


def meet(one: Box, other: Box) -> bool:
    """Whether two boxes overlap."""
    return (
        one.x < other.right
        and other.x < one.right
        and one.y < other.bottom
        and other.y < one.bottom
    )


def inside(line: Box, box: Box) -> bool:
    """Whether a line goes through a box, its edge apart."""
    within = Box(box.x + 0.5, box.y + 0.5, box.width - 1, box.height - 1, "", ())
    return meet(
        Box(line.x - 0.1, line.y - 0.1, line.width + 0.2, line.height + 0.2, "", ()), within
    )


def on_edge(at: tuple[float, float], box: Box) -> bool:
    """Whether a point lies on the edge of a box."""
    x, y = at
    return (x in {box.x, box.right} and box.y <= y <= box.bottom) or (
        y in {box.y, box.bottom} and box.x <= x <= box.right
    )


def test_a_box_counts_those_whom_it_leaves_out() -> None:
    """Guards against: a fourth administrator whom nobody is told of."""
    many = [way(Kind.ADMINISTRATOR, who=f"role/{each}") for each in range(5)]
    for picture in drawn(many):
        texts = [line.text for box in picture.boxes for line in box.lines]
        assert "and 2 more, in the table" in texts
        assert "role/3" not in texts


@pytest.mark.parametrize(
    ("all_seen", "title"), [(True, "Nobody"), (False, "Nobody was found")], ids=str
)
def test_nobody_is_said_as_far_as_it_is_known(all_seen: bool, title: str) -> None:
    """Guards against: `nobody`, where not everything was seen."""
    members = [way(Kind.OPENAI), way(Kind.ROLE), way(Kind.IAM)]
    for layout in (wide, narrow):
        picture = layout(SUBJECT, members, all_seen=all_seen)
        assert title in [line.text for line in picture.boxes[-1].lines]


def test_a_way_that_does_not_lead_there_is_crossed() -> None:
    """Guards against: an arrow to a key that OpenAI cannot use."""
    for state, crossed in ((State.PROVEN, 0), (State.MISSING, 2), (State.DENIED, 2)):
        members = [way(Kind.OPENAI, state), way(Kind.ROLE, state), way(Kind.IAM)]
        for layout in (wide, narrow):
            picture = layout(SUBJECT, members, all_seen=True)
            assert sum(each.crossed is not None for each in picture.arrows) == crossed


def test_the_picture_is_told_in_words() -> None:
    """Guards against: a picture that a screen reader passes over."""
    said = describe([replace(way(Kind.OPENAI), does="assumes the role"), way(Kind.STRANGER)])
    assert said.startswith("1: OpenAI's role assumes the role (proven) and 1: x changes")
    assert set(STATE_WORDS) == set(State)
    assert "8 more are in the table" in describe([way(Kind.STRANGER)] * 20)
