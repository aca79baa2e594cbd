"""The parts of a drawing, with their places; the template writes each as SVG."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Arrow", "Badge", "Box", "Line", "Picture", "Subject", "Zone"]


@dataclass(frozen=True, slots=True)
class Subject:
    """The three in the middle of the picture.

    Args:
        openai: Name of OpenAI's role.
        openai_account: Its account.
        role: Name of your role.
        external_id: That the trust policy asks for.
        key: Id of your key.
        key_state: State and Region of it.
        account: Your account.
    """

    openai: str
    openai_account: str
    role: str
    external_id: str
    key: str
    key_state: str
    account: str


@dataclass(frozen=True, slots=True)
class Line:
    """A line of text: where its baseline begins (or its middle is), what it says, how."""

    x: float
    y: float
    text: str
    style: str


@dataclass(frozen=True, slots=True)
class Badge:
    """The number of a way, in a circle."""

    x: float
    y: float
    number: int
    state: str


@dataclass(frozen=True, slots=True)
class Zone:
    """An area with a name: an AWS account, or everybody else."""

    x: float
    y: float
    width: float
    height: float
    label: str
    style: str = "account"


@dataclass(frozen=True, slots=True)
class Box:
    """Somebody or something, with its lines and the numbers of its ways."""

    x: float
    y: float
    width: float
    height: float
    style: str
    lines: tuple[Line, ...]
    badges: tuple[Badge, ...] = ()

    @property
    def middle(self) -> float:
        """Return the x of its middle."""
        return self.x + self.width / 2

    @property
    def right(self) -> float:
        """Return the x of its right side."""
        return self.x + self.width

    @property
    def bottom(self) -> float:
        """Return the y of its lower side."""
        return self.y + self.height


@dataclass(frozen=True, slots=True)
class Arrow:
    """A line of right angles with a head at its end.

    Args:
        points: Its corners, the last where the head's tip is.
        state: How it is drawn.
        crossed: A place where a cross says that it does not lead there.
    """

    points: tuple[tuple[float, float], ...]
    state: str
    crossed: tuple[float, float] | None = None

    @property
    def _direction(self) -> tuple[int, int]:
        """Return where the head points: along x, or along y."""
        (x, y), (before_x, before_y) = self.points[-1], self.points[-2]
        return _sign(x - before_x), _sign(y - before_y)

    @property
    def path(self) -> str:
        """Return the line as SVG writes a path, without the length of its head."""
        (x, y), (along_x, along_y) = self.points[-1], self._direction
        shown = (*self.points[:-1], (x - 8 * along_x, y - 8 * along_y))
        return "M" + " L".join(f"{_round(px)} {_round(py)}" for px, py in shown)

    @property
    def head(self) -> str:
        """Return the head as SVG writes the points of a polygon."""
        (x, y), (along_x, along_y) = self.points[-1], self._direction
        corners = (
            (x, y),
            (x - 11 * along_x - 6 * along_y, y - 11 * along_y - 6 * along_x),
            (x - 11 * along_x + 6 * along_y, y - 11 * along_y + 6 * along_x),
        )
        return " ".join(f"{_round(px)},{_round(py)}" for px, py in corners)


@dataclass(frozen=True, slots=True)
class Picture:
    """One drawing.

    Args:
        name: `wide` or `narrow`.
        width: Of its coordinates.
        height: Of its coordinates.
        zones: Behind everything else.
        boxes: On them.
        arrows: Between the boxes.
        labels: Text beside the arrows.
        badges: Numbers on the arrows.
    """

    name: str
    width: float
    height: float
    zones: tuple[Zone, ...]
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]
    labels: tuple[Line, ...] = ()
    badges: tuple[Badge, ...] = ()


def _sign(value: float) -> int:
    return (value > 0) - (value < 0)


def _round(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
