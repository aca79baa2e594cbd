"""Acts of other users of the machine: real ones where the suite runs as root.

A suite that runs as root does the act under another uid. One that does not cannot, and lets
everybody write instead: by mode the same folder is then as open, so that no case is skipped.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import traceback
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = os.geteuid() == 0
STRANGER = 61_234  # no account has this uid, and none needs to
NEIGHBOUR = 61_235


def act_as(uid: int, act: Callable[[], object]) -> bool:
    """Do something in a process of another user; tell whether it could be done.

    Args:
        uid: The user, who is in the group of the same number and in no other.
        act: Raises OSError when it cannot be done.
    """
    assert ROOT, "only root can act as another user"
    child = os.fork()
    if child == 0:  # pragma: no cover - another process
        code = 2
        try:
            os.setgroups([])
            os.setgid(uid)
            os.setuid(uid)
            os.umask(0o022)
            act()
            code = 0
        except OSError:
            code = 1
        except BaseException:  # noqa: BLE001 - the parent is told by the code
            traceback.print_exc()
        finally:
            os._exit(code)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert code in (0, 1), "the act itself is broken"
    return code == 0


def open_to_others(path: Path) -> None:
    """Give a file or folder to a stranger; where that needs root, let everybody write to it."""
    if ROOT:
        os.chown(path, STRANGER, STRANGER, follow_symlinks=False)
    else:
        path.chmod(path.stat().st_mode | 0o022)


@contextmanager
def shared_folder(mode: int = 0o1777) -> Iterator[Path]:
    """A folder that other users can reach, which pytest's own are not."""
    folder = Path(tempfile.mkdtemp(prefix="ekm-shared-", dir="/tmp")).resolve()
    folder.chmod(mode)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)
