"""Neither another user of the machine nor a setting of it decides what runs beside the admin key.

The other users are real where the suite runs as root; see `other_users`.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import socketserver
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.support.launched import ANSWER, Machine, bare_python
from tests.support.other_users import ROOT, STRANGER, act_as, open_to_others, shared_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from types import ModuleType


@pytest.fixture(scope="module")
def launcher(repository: Path) -> ModuleType:
    """The launcher's functions."""
    file = repository / "modules" / "registration" / "launcher" / "launcher.py"
    spec = importlib.util.spec_from_file_location("launcher", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def built(repository: Path, tmp_path_factory: pytest.TempPathFactory, uv: str) -> Path:
    """A cache with the environment of this Python, built once."""
    folder = tmp_path_factory.mktemp("built")
    machine = Machine.made(repository, folder)
    machine.put("python3", bare_python())
    machine.put("uv", uv)
    done = machine.run("--version")
    assert (done.returncode, done.stdout) == (0, ANSWER), done.stderr
    return machine.cache


def copied(built: Path, cache: Path) -> Path:
    """A copy of the cache that was built; returns its environment."""
    shutil.copytree(built, cache, symlinks=True)
    (environment,) = (path for path in (cache / "registrar").iterdir() if path.is_dir())
    return environment


def plant(environment: Path, mark: Path) -> None:
    """Put a Python into an environment that tells who ran it, and with which key."""
    python = environment / "bin" / "python"
    python.unlink(missing_ok=True)
    python.parent.mkdir(parents=True, exist_ok=True)
    python.write_text(f'#!/bin/sh\nid >> "{mark}"; echo "$OPENAI_ADMIN_KEY" >> "{mark}"\n')
    python.chmod(0o755)


def give(folder: Path) -> None:
    """Give a folder and all that is in it to a stranger."""
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            open_to_others(path)


@pytest.mark.parametrize("planted", ["cache", "cache/registrar"])
def test_a_cache_that_a_stranger_made_first_is_not_used(
    machine: Machine, built: Path, planted: str
) -> None:
    """A cache path that others can make first would hand them the admin key."""
    machine.put("python3", bare_python())
    machine.environment["OPENAI_ADMIN_KEY"] = "sk-admin-for-nobody"
    with shared_folder() as shared:
        machine.cache = shared / "cache"
        mark = shared / "mark"
        plant(copied(built, machine.cache), mark)
        give(shared / planted)
        done = machine.run("--retire")
        assert not mark.exists()
    assert (done.returncode, done.stdout) == (2, "")
    assert "must be this user's alone" in done.stderr
    assert str(shared / planted) in done.stderr


def test_a_stranger_who_swaps_the_cache_all_the_time_wins_nothing(
    machine: Machine, built: Path
) -> None:
    """A check that looks at one folder and then uses another loses to who is quick enough."""
    machine.put("python3", bare_python())
    machine.environment["OPENAI_ADMIN_KEY"] = "sk-admin-for-nobody"
    with shared_folder() as shared:
        mark = shared / "mark"
        copied(built, shared / "good")
        plant(copied(built, shared / "bad"), mark)
        give(shared / "bad")
        machine.cache = shared / "cache"
        stop = shared / "stop"

        def swap() -> None:
            while not stop.exists():
                for target in ("good", "bad"):
                    (shared / "next").symlink_to(target)
                    (shared / "next").rename(shared / "cache")

        def attack() -> None:
            if ROOT:
                act_as(STRANGER, swap)
            else:
                swap()

        if not ROOT:
            (shared / "good").chmod(0o777)  # a link of our own leads where it says: both are open
        attacker = threading.Thread(target=attack)
        attacker.start()
        try:
            while not machine.cache.is_symlink():  # from then on there is a link at every moment
                assert attacker.is_alive()
                time.sleep(0.001)
            for _ in range(8):
                done = machine.run("--version")
                assert (done.returncode, done.stdout) == (2, ""), done.stderr
        finally:
            stop.touch()
            attacker.join(timeout=60)
        assert not mark.exists()


def packages(environment: Path) -> Path:
    """The folder of its packages."""
    (found,) = environment.glob("lib/python*/site-packages")
    return found


PARTS: dict[str, Callable[[Path], Path]] = {
    "itself": lambda environment: environment,
    "bin": lambda environment: environment / "bin",
    "a script": lambda environment: environment / "bin" / "activate",
    "pyvenv.cfg": lambda environment: environment / "pyvenv.cfg",
    "site-packages": packages,
    "a package": lambda environment: packages(environment) / "boto3",
    "a module": lambda environment: packages(environment) / "boto3" / "session.py",
}
CHANGES: dict[str, Callable[[Path], object]] = {
    "a stranger's": open_to_others,
    "group may write": lambda path: path.chmod(path.stat().st_mode | (0o020 if ROOT else 0o002)),
    "all may write": lambda path: path.chmod(path.stat().st_mode | 0o002),
}


def test_each_part_of_an_environment_is_looked_at(
    launcher: ModuleType, built: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A part that others can change is enough to run their code."""
    monkeypatch.syspath_prepend(str(launcher.SCRIPTS))
    with shared_folder(0o755) as shared:
        environment = copied(built, shared / "cache")
        assert launcher.fault(environment) is None
        for part, find in PARTS.items():
            for change, make in CHANGES.items():
                path = find(environment)
                before = path.stat()
                make(path)
                if change != "a stranger's" and ROOT:
                    os.chown(path, 0, STRANGER)
                found = launcher.fault(environment)
                assert found is not None, (part, change)
                assert str(path) in found, (part, change)
                os.chown(path, before.st_uid, before.st_gid)
                path.chmod(before.st_mode)
                assert launcher.fault(environment) is None


def _empty(environment: Path) -> None:
    for path in packages(environment).iterdir():
        if path.is_dir():
            shutil.rmtree(path)


def _cut_short(environment: Path) -> None:
    file = packages(environment) / "boto3" / "session.py"
    file.write_bytes(file.read_bytes()[:10])


def _lose_a_file(environment: Path) -> None:
    (packages(environment) / "boto3" / "session.py").unlink()


def _age(environment: Path) -> None:
    found = next(packages(environment).glob("boto3-*.dist-info"))
    found.rename(found.with_name("boto3-0.0.1.dist-info"))


def _take_another_python(environment: Path) -> None:
    (environment / "bin" / "python").unlink()
    (environment / "bin" / "python").symlink_to("/bin/sh")


def _link_a_package(environment: Path) -> None:
    outside = environment.parent.parent / "boto3"
    (packages(environment) / "boto3").rename(outside)
    (packages(environment) / "boto3").symlink_to(outside)


def _leave_a_file(environment: Path) -> None:
    shutil.rmtree(environment)
    environment.touch()


def _leave_a_link(environment: Path) -> None:
    moved = environment.with_name("moved")
    environment.rename(moved)
    environment.symlink_to(moved)


BROKEN: dict[str, Callable[[Path], None]] = {
    "nothing installed": _empty,
    "one file gone": _lose_a_file,
    "one file cut short": _cut_short,
    "another version": _age,
    "another Python": _take_another_python,
    "a package linked from elsewhere": _link_a_package,
    "a file in its place": _leave_a_file,
    "a link in its place": _leave_a_link,
}


@pytest.mark.parametrize("how", BROKEN)
def test_a_broken_environment_is_found(
    launcher: ModuleType, built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """A half-deleted or empty environment would be trusted for ever."""
    monkeypatch.syspath_prepend(str(launcher.SCRIPTS))
    environment = copied(built, tmp_path / "cache")
    BROKEN[how](environment)
    assert launcher.fault(environment) is not None


@pytest.mark.parametrize("how", ["nothing installed", "a link in its place", "planted"])
def test_a_broken_or_foreign_environment_is_rebuilt(
    machine: Machine, built: Path, uv: str, how: str
) -> None:
    """After one bad run every later one would fail, or run what a stranger had left."""
    machine.put("python3", bare_python())
    machine.put("uv", uv)
    machine.environment["OPENAI_ADMIN_KEY"] = "sk-admin-for-nobody"
    with shared_folder(0o755) as shared:
        machine.cache = shared / "cache"
        environment = copied(built, machine.cache)
        if how == "planted":
            plant(environment, shared / "mark")
            give(environment)
        else:
            BROKEN[how](environment)
        healed = machine.run("--version")
        assert (healed.returncode, healed.stdout) == (0, ANSWER), healed.stderr
        assert "is made anew" in healed.stderr
        assert not environment.is_symlink()
        again = machine.run("--version")
        assert (again.returncode, again.stdout, again.stderr) == (0, ANSWER, "")
        assert not (shared / "mark").exists()


def test_what_does_not_work_is_not_kept(machine: Machine, uv: str) -> None:
    """An installation that says "done" and cannot be imported would be trusted for ever."""
    machine.put("python3", bare_python())
    machine.script(
        "uv",
        f'"{uv}" "$@" || exit\n'
        'case "$*" in *"pip sync"*) for six in ../env/lib/python*/site-packages/six.py; do '
        "/usr/bin/sed -i 's/^import/1mport/' $six; done;; esac",
    )
    done = machine.run("--version")
    assert done.returncode == 5, done.stderr
    assert "do not work with" in done.stderr
    assert machine.environments == []


def test_a_python_that_a_stranger_left_above_is_not_taken(
    machine: Machine, uv: str, tmp_path: Path
) -> None:
    """Uv takes a .venv in any folder above for a Python: in /tmp, anybody can leave one."""
    mark = tmp_path / "mark"
    machine.put("uv", uv)
    machine.environment |= {"UV_PYTHON_DOWNLOADS": "never", "UV_PYTHON_INSTALL_DIR": "/nowhere"}
    plant(tmp_path / ".venv", mark)
    (tmp_path / ".venv" / "pyvenv.cfg").write_text("home = /usr/bin\nversion_info = 3.13.0\n")
    machine.run("--version")
    assert not mark.exists()


# Settings of pip and uv


def hostile(tmp_path: Path) -> dict[str, str]:
    """Variables and files of the user's, each of which says what is installed, or where."""
    for name in ("pip.conf", "uv.toml", "constraint.txt"):
        (tmp_path / name).unlink(missing_ok=True)
    (tmp_path / "constraint.txt").write_text("urllib3<2\n")
    found = os.environ.get("PIP_FIND_LINKS", "")
    (tmp_path / "pip.conf").write_text(
        "[global]\nrequire-virtualenv = yes\ndry-run = yes\npython = /nowhere/python\n"
        f"find-links = {found}\n[install]\nuser = yes\nno-binary = :all:\n"
        f"target = {tmp_path / 'elsewhere'}\nconstraint = {tmp_path / 'constraint.txt'}\n"
    )
    (tmp_path / "uv.toml").write_text(
        'no-binary = true\nexclude-newer = "2001-01-01T00:00:00Z"\nlink-mode = "symlink"\n'
        f'[pip]\ntarget = "{tmp_path / "elsewhere"}"\nsystem = true\nno-binary = [":all:"]\n'
        'no-verify-hashes = true\npython-version = "3.8"\n'
    )
    elsewhere = str(tmp_path / "elsewhere")
    return {
        "PIP_CONFIG_FILE": str(tmp_path / "pip.conf"),
        "PIP_PYTHON": "/nowhere/python",
        "PIP_DRY_RUN": "1",
        "PIP_TARGET": elsewhere,
        "PIP_PREFIX": elsewhere,
        "PIP_ROOT": elsewhere,
        "PIP_USER": "1",
        "PIP_REQUIRE_VIRTUALENV": "1",
        "PIP_CONSTRAINT": str(tmp_path / "constraint.txt"),
        "PIP_NO_BINARY": ":all:",
        "PIP_IGNORE_INSTALLED": "1",
        "PIP_REPORT": str(tmp_path / "elsewhere"),
        "UV_CONFIG_FILE": str(tmp_path / "uv.toml"),
        "UV_CONSTRAINT": str(tmp_path / "constraint.txt"),
        "UV_OVERRIDE": str(tmp_path / "constraint.txt"),
        "UV_PYTHON": "/nowhere/python",
        "UV_SYSTEM_PYTHON": "1",
        "UV_NO_BINARY": "1",
        "UV_LINK_MODE": "symlink",
        "UV_EXCLUDE_NEWER": "2001-01-01",
        "UV_NO_VERIFY_HASHES": "1",
        "UV_WORKING_DIR": str(tmp_path),
        "PYTHONHOME": "/nowhere",
        "PYTHONPATH": str(tmp_path),
        "PYTHONSTARTUP": "/nowhere",
        "VIRTUAL_ENV": str(tmp_path),
        "CONDA_PREFIX": str(tmp_path),
        "DEB_PYTHON_INSTALL_LAYOUT": "deb",
    }


@pytest.mark.parametrize("with_uv", [True, False], ids=["uv", "pip"])
def test_no_setting_decides_what_is_installed_or_where(
    machine: Machine, uv: str, tmp_path: Path, *, with_uv: bool
) -> None:
    """One line in a company's pip.conf would end every apply, or put other code beside the key."""
    machine.put("python3", bare_python())
    if with_uv:
        machine.put("uv", uv)
    machine.environment |= hostile(tmp_path)
    if not with_uv:
        machine.environment["TMPDIR"] = "/nowhere"
    done = machine.run("--version")
    assert (done.returncode, done.stdout) == (0, ANSWER), done.stderr
    assert not (tmp_path / "elsewhere").exists()
    assert len(machine.environments) == 1


def test_of_the_settings_only_the_known_ones_are_read(
    launcher: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rule is a list of what counts: a setting that a later pip or uv brings is not on it."""
    for name in [name for name in os.environ if name.startswith(("PIP_", "UV_", "XDG_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_DIRS", str(tmp_path / "machine"))
    for name, value in {**hostile(tmp_path), "PIP_OF_2030": "1", "UV_OF_2030": "1"}.items():
        if not name.endswith("CONFIG_FILE"):
            monkeypatch.setenv(name, value)
    (tmp_path / "machine" / "uv").mkdir(parents=True)
    (tmp_path / "machine" / "pip").mkdir()
    (tmp_path / ".config" / "uv").mkdir(parents=True)
    (tmp_path / ".config" / "pip").mkdir()
    (tmp_path / "machine" / "pip" / "pip.conf").write_text(
        "[global]\nindex_url = https://machine.test/simple\nRetries = 9\ntimeout = 7\nuser = yes\n"
    )
    (tmp_path / ".config" / "pip" / "pip.conf").write_text(
        "[global]\nindex-url = https://user.test/simple\nuse-feature = fast-deps truststore\n"
        "[install]\ncert = /etc/company.pem\ntarget = /nowhere\n[download]\nproxy = http://no.test\n"
    )
    monkeypatch.setenv("PIP_RETRIES", "2")
    found = launcher.pip_variables()
    found = {name: value for name, value in found.items() if not name.startswith("PIP_FIND")}
    assert found == {
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_INDEX_URL": "https://user.test/simple",
        "PIP_RETRIES": "2",
        "PIP_TIMEOUT": "7",
        "PIP_CERT": "/etc/company.pem",
        "PIP_USE_FEATURE": "truststore",
    }
    (tmp_path / "machine" / "uv" / "uv.toml").write_text(
        'native-tls = true\noffline = false\ntarget = "/nowhere"\n'
        '[[index]]\nurl = "https://machine.test/simple"\n[pip]\nno-index = true\ntarget = "/x"\n'
    )
    (tmp_path / ".config" / "uv" / "uv.toml").write_text(
        'offline = true\npython-downloads = "never"\n'
        '[[index]]\nname = "ours"\nurl = "https://user.test/\\"simple\\""\ndefault = true\n'
    )
    monkeypatch.setenv("UV_INDEX_OURS_PASSWORD", "secret")
    monkeypatch.setenv("UV_HTTP_TIMEOUT", "3")
    settings, variables = launcher.uv_settings()
    assert variables == {"UV_INDEX_OURS_PASSWORD": "secret", "UV_HTTP_TIMEOUT": "3"}
    assert settings == {
        "index": [
            {"name": "ours", "url": 'https://user.test/"simple"', "default": True},
            {"url": "https://machine.test/simple"},
        ],
        "native-tls": True,
        "offline": True,
        "no-index": True,
    }
    import tomllib  # noqa: PLC0415 - what is written is read back

    written = "".join(f"{name} = {launcher.toml(value)}\n" for name, value in settings.items())
    assert tomllib.loads(written) == settings


@contextmanager
def listener() -> Iterator[tuple[str, list[str]]]:
    """A server that answers everything with 404 and keeps the first line of what it was asked."""
    asked: list[str] = []

    class Answer(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            asked.append(self.rfile.readline().decode("latin-1").strip())
            self.wfile.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}", asked
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize("program", ["pip", "uv"])
@pytest.mark.parametrize("setting", ["index", "proxy"])
def test_where_to_download_from_does_count(
    machine: Machine, uv: str, tmp_path: Path, program: str, setting: str
) -> None:
    """A company's mirror and proxy would be passed by, and every apply would fail."""
    machine.put("python3", bare_python())
    if program == "uv":
        machine.put("uv", uv)
    machine.environment["UV_CACHE_DIR"] = str(tmp_path / "cache-of-uv")
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        machine.environment[name] = ""
    with listener() as (url, asked):
        index = f"{url}/simple" if setting == "index" else "http://index.invalid/simple"
        pip = [f"index-url = {index}", "retries = 0"]
        ours = [f'[[index]]\nurl = "{index}"\ndefault = true']
        if setting == "proxy":
            pip += [f"proxy = {url}", "trusted-host = index.invalid"]
            machine.environment |= {"HTTP_PROXY": url, "http_proxy": url, "NO_PROXY": ""}
        (tmp_path / "pip.conf").write_text("[global]\n" + "\n".join(pip) + "\n")
        (tmp_path / "uv.toml").write_text("\n".join(ours) + "\n")
        machine.environment |= {
            "PIP_CONFIG_FILE": str(tmp_path / "pip.conf"),
            "UV_CONFIG_FILE": str(tmp_path / "uv.toml"),
        }
        done = machine.run("--version")
    assert done.returncode == 5, done.stderr
    wanted = "GET /simple/" if setting == "index" else "GET http://index.invalid/simple/"
    assert any(line.startswith(wanted) for line in asked), (asked, done.stderr)


@pytest.mark.parametrize(
    ("name", "text"), [("pip.conf", "user = yes\n"), ("uv.toml", "index = [\n")]
)
def test_a_broken_configuration_file_is_named(
    machine: Machine, uv: str, tmp_path: Path, name: str, text: str
) -> None:
    """The user would be sent to look at the network."""
    machine.put("python3", bare_python())
    if name == "uv.toml":
        machine.put("uv", uv)
    (tmp_path / name).write_text(text)
    variable = "UV_CONFIG_FILE" if name == "uv.toml" else "PIP_CONFIG_FILE"
    machine.environment[variable] = str(tmp_path / name)
    done = machine.run("--version")
    assert done.returncode == 2
    assert str(tmp_path / name) in done.stderr
    assert "Traceback" not in done.stderr
    assert machine.environments == []


def test_a_cache_of_uv_that_others_can_write_to_is_passed_by(
    machine: Machine, uv: str, tmp_path: Path
) -> None:
    """Uv checks a hash when it downloads, and never again what it took out of its cache."""
    machine.put("python3", bare_python())
    machine.put("uv", uv)
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    machine.environment["UV_CACHE_DIR"] = str(tmp_path / "open")
    done = machine.run("--version")
    assert (done.returncode, done.stdout) == (0, ANSWER), done.stderr
    assert "uv's cache is not used" in done.stderr
    assert list((tmp_path / "open").iterdir()) == []


def test_a_uv_that_cannot_be_run_is_named(
    launcher: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A uv made for another machine ends in a traceback."""
    for name in ("bin", "folder"):
        (tmp_path / name).mkdir()
    uv = tmp_path / "bin" / "uv"
    uv.write_bytes(b"\x7fELF no program")
    uv.chmod(0o700)
    monkeypatch.setenv("PATH", str(uv.parent))
    monkeypatch.setenv("UV_NO_CONFIG", "1")
    with pytest.raises(launcher.Refused, match=r"uv cannot be run: Exec format error") as raised:
        launcher.fill(tmp_path / "folder")
    assert raised.value.code == launcher.BAD_INPUT


def test_a_uv_beside_the_root_is_not_taken(
    launcher: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With "." in PATH, a file of the folder that Terraform runs in is taken for uv."""
    (tmp_path / "folder").mkdir()
    uv = tmp_path / "uv"
    uv.write_text("#!/bin/sh\n", encoding="utf-8")
    uv.chmod(0o700)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", ".")
    asked: list[str] = []
    monkeypatch.setattr(launcher, "with_uv", lambda *_words: asked.append("uv"))
    monkeypatch.setattr(launcher, "with_pip", lambda *_words: asked.append("pip"))
    with pytest.raises(launcher.Refused):
        launcher.fill(tmp_path / "folder")  # nothing was installed
    assert asked == ["pip"]
