"""The AWS profile and Region that the command line chose for this process.

It stands apart from `openai_ekm.aws_session`, which loads AWS's libraries: `--help` needs none.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

__all__ = ["Selection", "current", "forget", "select"]


@dataclass(frozen=True, slots=True)
class Selection:
    """A profile and a Region; None where the environment and AWS's files decide.

    Args:
        profile: Name of a profile of AWS's configuration files. It wins over AWS_PROFILE, and over
            credentials in the environment.
        region: Name of a Region. It wins over AWS_REGION and the profile's.
    """

    profile: str | None = None
    region: str | None = None


_selection = Selection()


def select(*, profile: str | None = None, region: str | None = None) -> None:
    """Choose for every session that is made from now on.

    Args:
        profile: As in `Selection`; None keeps what was chosen.
        region: As in `Selection`; None keeps what was chosen.
    """
    global _selection  # noqa: PLW0603 - a choice of the process, as an environment variable is
    given = {name: value for name, value in (("profile", profile), ("region", region)) if value}
    _selection = replace(_selection, **given)


def current() -> Selection:
    """Return what was chosen."""
    return _selection


def forget() -> None:
    """Choose nothing."""
    global _selection  # noqa: PLW0603 - see above
    _selection = Selection()
