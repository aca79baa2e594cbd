"""Run the registrar of this module in an environment made from its hashed requirements.

Standard library only, Python 3.11 or later. It runs next to an OpenAI admin key, so nothing
unpinned runs, and nothing that another user of the machine can change: every package is checked
against its hash, none is built from source (a build would fetch tools that nothing pins), and no
setting of pip, uv or Python decides what is installed or where. Settings that say where to
download from do count. The environment is kept in the user's cache under a name made from the
requirements and the Python. It is built beside its place, tried, and renamed under a lock; every
run looks at it before it is used. The registrar's own code runs from the module's `scripts`
folder, so an edit or an upgrade takes effect at once.
"""

# ruff: noqa: INP001, T201 - a script of its own, which prints

from __future__ import annotations

import configparser
import csv
import fcntl
import hashlib
import json
import os
import platform
import re
import secrets
import shutil
import stat
import subprocess  # nosec B404 # each call says below why it is safe
import sys
import sysconfig
import tempfile
import tomllib
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

MODULE = Path(__file__).resolve().parents[3]
SCRIPTS = MODULE / "scripts"
REQUIREMENTS = MODULE / "requirements" / "runtime.txt"
OLDEST = (3, 11)

BAD_INPUT = 2
NOT_REACHABLE = 5

# What pip and uv say when a download is not what requirements/runtime.txt says it is.
HASH_WORDS = ("hash mismatch", "do not match the hashes", "hashes are required", "require-hashes")
# -I keeps PYTHONPATH and user packages out; the module's own folder is then named by hand.
RUN = "import sys; sys.path.insert(0, sys.argv.pop(1)); from openai_ekm.cli.main import main_register; main_register()"  # noqa: E501
# Imports every module that the installed requirements bring.
TRY = """
import importlib, importlib.metadata
for module in sorted(importlib.metadata.packages_distributions()):
    importlib.import_module(module)
"""

# The settings that count: where to download from, by which way, and where downloads are kept.
# All others are unknown to what pip and uv are asked to do here: what is installed, and where, is
# the launcher's to say.
VARIABLES = frozenset({
    "PATH", "HOME", "USER", "LOGNAME", "LANG", "LANGUAGE", "LC_ALL", "LC_CTYPE",
    "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY",
    "http_proxy", "https_proxy", "all_proxy", "no_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR",
    "SSL_CLIENT_CERT", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NETRC",
    # Where a keyring, asked for the index's password, finds its own settings.
    "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_RUNTIME_DIR",
    "DBUS_SESSION_BUS_ADDRESS", "GOOGLE_APPLICATION_CREDENTIALS", "CLOUDSDK_CONFIG",
})  # fmt: skip
PIP_SETTINGS = frozenset({
    "index-url", "extra-index-url", "no-index", "find-links", "keyring-provider", "proxy",
    "trusted-host", "cert", "client-cert", "cache-dir", "no-cache-dir", "timeout",
    "default-timeout", "retries", "resume-retries",
})  # fmt: skip
# Of these, only the named value.
PIP_VALUES = {"use-feature": "truststore", "use-deprecated": "legacy-certs"}
UV_VARIABLES = re.compile(
    r"UV_(INDEX|DEFAULT_INDEX|INDEX_URL|EXTRA_INDEX_URL|FIND_LINKS|NO_INDEX|INDEX_STRATEGY"
    r"|INDEX_\w+_(USERNAME|PASSWORD)|KEYRING_PROVIDER|CREDENTIALS_DIR|INSECURE_HOST|NATIVE_TLS"
    r"|SYSTEM_CERTS|OFFLINE|CACHE_DIR|NO_CACHE|HTTP_TIMEOUT|REQUEST_TIMEOUT|HTTP_CONNECT_TIMEOUT"
    r"|HTTP_RETRIES|CONCURRENT_DOWNLOADS)"
)
UV_SETTINGS = frozenset({
    "index", "index-url", "extra-index-url", "find-links", "no-index", "index-strategy",
    "keyring-provider", "allow-insecure-host", "native-tls", "system-certs", "http-proxy",
    "https-proxy", "no-proxy", "offline", "cache-dir", "no-cache", "concurrent-downloads",
})  # fmt: skip


class Refused(Exception):
    """The registrar cannot be run, and why.

    Args:
        message: One line that says what to do.
        code: Exit code, as the registrar's own.
    """

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code


def main() -> None:
    """Prepare the environment when it is not there yet, and become the registrar."""
    try:
        python = prepare()
    except Refused as refusal:
        print(f"ekm-register: {refusal}", file=sys.stderr)
        sys.exit(refusal.code)
    except KeyboardInterrupt:
        sys.exit(130)
    os.environ.pop("__PYVENV_LAUNCHER__", None)  # macOS: it would name another environment
    # -B: no compiled files beside the module's sources, and none that could be older than they.
    os.execv(python, [str(python), "-I", "-B", "-c", RUN, str(SCRIPTS), *sys.argv[1:]])  # noqa: S606  # nosec B606 # no shell


def prepare() -> Path:
    """Return the Python of an environment that holds exactly the module's requirements.

    Raises:
        Refused: It is not there and cannot be made.
    """
    if sys.version_info < OLDEST:
        raise Refused(
            f"Python {platform.python_version()} is too old: 3.11 or later is needed. "
            "Name one in EKM_PYTHON.",
            BAD_INPUT,
        )
    if not REQUIREMENTS.is_file() or not (SCRIPTS / "openai_ekm").is_dir():
        raise Refused(
            f"the module in {MODULE} is not complete: requirements/runtime.txt or "
            "scripts/openai_ekm is missing. Fetch it again (terraform init -upgrade).",
            BAD_INPUT,
        )
    sys.dont_write_bytecode = True  # the module's folder stays as it is
    sys.path.insert(0, str(SCRIPTS))
    environments = private_folder(cache() / "registrar")
    name = fingerprint(REQUIREMENTS.read_bytes())
    environment = environments / name
    if fault(environment) is not None:
        with locked(environments / f"{name}.lock"):
            found = fault(environment)  # another run may have built it meanwhile
            if found is not None:
                build(environment, found)
    return environment / "bin" / "python"


def cache() -> Path:
    """Return the user's cache folder of this product."""
    if os.environ.get("EKM_CACHE_DIR"):
        return Path(os.environ["EKM_CACHE_DIR"])
    try:
        base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    except RuntimeError:
        raise Refused("no home folder: name a cache in EKM_CACHE_DIR.", BAD_INPUT) from None
    return Path(base) / "openai-ekm-aws"


def fingerprint(requirements: bytes) -> str:
    """Return a name for what the environment depends on: the requirements and this Python."""
    python = (
        sys.implementation.name,
        platform.python_version(),
        sysconfig.get_platform(),
        str(sysconfig.get_config_var("SOABI")),
    )
    return hashlib.sha256("\0".join(python).encode() + b"\0" + requirements).hexdigest()[:32]


def private_folder(folder: Path) -> Path:
    """Make a folder that only this user can change, and return it without links in its path.

    Raises:
        Refused: Another user could change it, or it cannot be made.
    """
    from openai_ekm.files import make_private_folder  # noqa: PLC0415 - found once `prepare` has begun

    try:
        return make_private_folder(folder)
    except PermissionError as error:
        raise Refused(
            f"the cache folder {folder} cannot be used, for it must be this user's alone: "
            f"{error.strerror}. Name a folder in EKM_CACHE_DIR that no other user can change, in "
            "folders that are yours or root's.",
            BAD_INPUT,
        ) from None
    except OSError as error:
        raise Refused(
            f"the cache folder {folder} cannot be made: {error.strerror}. "
            "Name another in EKM_CACHE_DIR.",
            BAD_INPUT,
        ) from None


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """Hold an exclusive lock, so that runs which start at once build one environment."""
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("Waiting for another run that is preparing ekm-register …", file=sys.stderr)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


# Whether an environment is fit for use


def fault(environment: Path) -> str | None:
    """Return why an environment is not to be used; None when it is whole and only ours to change.

    Its folder is one that no other user can change, so what is found here stays so.
    """
    try:
        return _strange(environment) or _missing(environment)
    except FileNotFoundError as error:
        return f"there is no {error.filename}"
    except (OSError, ValueError, csv.Error) as error:
        return f"it cannot be read: {error}"


def _strange(environment: Path) -> str | None:
    """What in it is another user's, or leads out of it."""
    from openai_ekm.files import others_can_write  # noqa: PLC0415 - found once `prepare` has begun

    base = Path(sys.executable).resolve()
    if (environment / "bin" / "python").resolve(strict=True) != base:
        return f"its Python is not {base}"
    waiting = [environment]
    while waiting:
        path = waiting.pop()
        found = path.lstat()
        if found.st_uid != os.geteuid():
            return f"{path} belongs to another user (uid {found.st_uid})"
        if stat.S_ISLNK(found.st_mode):
            target = path.resolve()
            if target != base and not target.is_relative_to(environment):
                return f"{path} is a link to {target}"
        elif others_can_write(path, found):
            return f"{path} can be written by other users (mode {found.st_mode & 0o7777:o})"
        elif stat.S_ISDIR(found.st_mode):
            waiting += path.iterdir()
        elif not stat.S_ISREG(found.st_mode):
            return f"{path} is not a regular file"
    return None


def _missing(environment: Path) -> str | None:
    """Which file of a requirement is not there as it was installed."""
    packages = site_packages(environment)
    there = {plain(path.name): path for path in packages.glob("*.dist-info")}
    for name, version in requirements():
        listed = there.get(plain(f"{name}-{version}.dist-info"))
        if listed is None:
            return f"{name} {version} is not installed in it"
        with (listed / "RECORD").open(encoding="utf-8", newline="") as record:
            for file, _, size in csv.reader(record):
                if size and (packages / file).stat().st_size != int(size):
                    return f"{packages / file} is not as it was installed"
    return None


def site_packages(environment: Path) -> Path:
    """Return the folder of an environment that packages are installed in."""
    places = {"base": str(environment), "platbase": str(environment)}
    return Path(sysconfig.get_path("purelib", "venv", places))


def requirements() -> list[tuple[str, str]]:
    """Return name and version of each requirement; none has a marker."""
    text = REQUIREMENTS.read_text(encoding="utf-8")
    return re.findall(r"^([A-Za-z0-9][\w.-]*)==([^\s;\\]+)", text, re.MULTILINE)


def plain(name: str) -> str:
    """Return a name of a package as it can be compared.

    Source: https://packaging.python.org/en/latest/specifications/name-normalization
    """
    return re.sub(r"[-_.]+", "-", name).lower()


# Building one


def build(environment: Path, reason: str) -> None:
    """Build the environment beside its place, try it and rename it.

    Args:
        environment: Its place; what is there is moved away first.
        reason: Why what is there is not used.

    Raises:
        Refused: It cannot be built; then nothing is left behind.
    """
    if environment.is_symlink() or environment.exists():
        print(f"The environment in {environment} is made anew: {reason}.", file=sys.stderr)
    print("Preparing ekm-register, once for these requirements and this Python …", file=sys.stderr)
    for left in environment.parent.glob(f"{environment.name}.*-*"):
        remove(left)  # of a run that was killed; we hold the lock
    folder = Path(tempfile.mkdtemp(prefix=f"{environment.name}.new-", dir=environment.parent))
    umask = os.umask(0o077)
    try:
        fill(folder)
        old = environment.with_name(f"{environment.name}.old-{secrets.token_hex(8)}")
        with suppress(FileNotFoundError):
            environment.rename(old)
        (folder / "env").rename(environment)
        remove(old)
    finally:
        os.umask(umask)
        remove(folder)


def remove(path: Path) -> None:
    """Remove whatever is there, as far as this user may."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):
            path.unlink()


def fill(folder: Path) -> None:
    """Make a virtual environment in `env`, install the requirements by their hashes, and try it."""
    for name in ("empty", "tmp"):
        (folder / name).mkdir()
    uv = shutil.which("uv")
    if uv and Path(uv).is_absolute():  # not what an entry "." of PATH finds in the folder we are in
        with_uv(uv, folder)
        if strange := _strange(folder / "env"):  # linked from a cache that others can write to
            print(f"uv's cache is not used: {strange}.", file=sys.stderr)
            remove(folder / "env")
            with_uv(uv, folder, "--no-cache")
    else:
        with_pip(folder)
    if wrong := fault(folder / "env"):
        raise Refused(f"the environment was installed and is not whole: {wrong}.", NOT_REACHABLE)
    try:
        tool(folder, {}, str(folder / "env" / "bin" / "python"), "-I", "-B", "-c", TRY)
    except Refused as refusal:
        raise Refused(
            f"its packages were installed and do not work with {sys.executable}. "
            f"Name another Python in EKM_PYTHON.\n{said_by(refusal)}",
            NOT_REACHABLE,
        ) from None


def with_uv(uv: str, folder: Path, *more: str) -> None:
    """Install with uv."""
    settings, variables = uv_settings()
    (folder / "uv.toml").write_text(
        "".join(f"{name} = {toml(value)}\n" for name, value in settings.items()), encoding="utf-8"
    )
    store = variables.get("UV_CACHE_DIR") or settings.get("cache-dir") or default_uv_cache()
    try:
        variables["UV_CACHE_DIR"] = str(private_folder(Path(store)))
    except Refused as refusal:
        print(f"uv's cache is not used: {refusal}", file=sys.stderr)
        more = ("--no-cache",)
        variables.pop("UV_CACHE_DIR", None)
    common = ("--quiet", "--config-file", str(folder / "uv.toml"), *more)
    place = folder / "env"
    tool(folder, variables, uv, "venv", *common, "--python", sys.executable, str(place))
    tool(
        folder, variables, uv, "pip", "sync", *common, "--python", str(place / "bin" / "python"),
        "--require-hashes", "--only-binary", ":all:", str(REQUIREMENTS),
    )  # fmt: skip
    (place / ".lock").unlink(missing_ok=True)  # uv's own, which everybody may write to


def with_pip(folder: Path) -> None:
    """Install with the pip that comes with Python."""
    variables = pip_variables()  # a broken pip.conf is told before anything is made
    try:
        tool(folder, {}, sys.executable, "-I", "-m", "venv", str(folder / "env"))
    except Refused as refusal:
        raise Refused(
            f"this Python cannot make a virtual environment: install its venv package, or uv.\n"
            f"{said_by(refusal)}",
            BAD_INPUT,
        ) from None
    tool(
        folder, variables,
        str(folder / "env" / "bin" / "python"), "-I", "-m", "pip", "install", "--quiet",
        "--disable-pip-version-check", "--no-input", "--require-hashes", "--no-deps",
        "--only-binary", ":all:", "--requirement", str(REQUIREMENTS),
    )  # fmt: skip


def tool(folder: Path, variables: Mapping[str, str], *command: str) -> None:
    """Run pip, venv, uv or a Python, from a folder that configures nothing.

    Args:
        folder: Holds an empty folder to start from, and one for temporary files.
        variables: Settings of the command, beside the variables that count for all.
        command: The words.

    Raises:
        Refused: It failed: code 2 when a hash does not match, 5 for the rest.
    """
    kept = {name: value for name, value in os.environ.items() if name in VARIABLES}
    try:
        done = subprocess.run(  # noqa: S603  # nosec B603 # the words are ours, without a shell
            command,
            cwd=folder / "empty",
            env={**kept, **variables, "TMPDIR": str(folder / "tmp")},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
        )
    except OSError as error:
        raise Refused(
            f"{command[0]} cannot be run: {error.strerror}. Correct PATH, or install it again.",
            BAD_INPUT,
        ) from None
    if done.returncode == 0:
        return
    said = "\n".join(f"  {line}" for line in done.stdout.strip().splitlines()[-20:])
    if any(words in done.stdout.lower() for words in HASH_WORDS):
        raise Refused(
            "a package is not the one that requirements/runtime.txt names by its hash; nothing was "
            f"installed. Fetch the module again, or ask whoever runs your package index.\n{said}",
            BAD_INPUT,
        )
    raise Refused(
        "its packages could not be installed, so nothing was run. Check the network and the "
        "settings of pip or uv, or install the openai-ekm-aws package beforehand.\n" + said,
        NOT_REACHABLE,
    )


def said_by(refusal: Refused) -> str:
    """Return what the command said, without our own first line."""
    return str(refusal).partition("\n")[2]


# Settings of pip and uv


def pip_variables() -> dict[str, str]:
    """Return the settings of pip that count, from its files and variables, as variables.

    Source: https://pip.pypa.io/en/stable/topics/configuration
    """
    settings: dict[str, str] = {}
    for file in pip_files():
        parser = configparser.RawConfigParser()
        try:
            parser.read_string(file.read_text(encoding="utf-8", errors="surrogateescape"))
        except (OSError, configparser.Error) as error:
            raise unreadable("pip", file, error) from None
        for section in ("global", "install"):
            if parser.has_section(section):
                settings |= {pip_name(name): value for name, value in parser.items(section)}
    settings |= {
        pip_name(name.removeprefix("PIP_")): value
        for name, value in os.environ.items()
        if name.startswith("PIP_") and value
    }
    counted = {name: value for name, value in settings.items() if name in PIP_SETTINGS}
    counted |= {
        name: value
        for name, value in PIP_VALUES.items()
        if value in re.split(r"[\s,]+", settings.get(name, ""))
    }
    return {
        **{f"PIP_{name.replace('-', '_').upper()}": value for name, value in counted.items()},
        "PIP_CONFIG_FILE": os.devnull,  # its name for none at all
    }


def pip_files() -> Iterable[Path]:
    """Return pip's configuration files, the weakest first."""
    named = os.environ.get("PIP_CONFIG_FILE")
    if named == os.devnull:
        return []
    home = Path(os.environ.get("HOME") or "/nonexistent")
    if sys.platform == "darwin":
        support = "Library/Application Support/pip"
        machine = [Path("/", support)]
        user = home / support
        if not user.is_dir():
            user = home / ".config/pip"
    else:
        folders = os.environ.get("XDG_CONFIG_DIRS") or "/etc/xdg"
        machine = [Path(each, "pip") for each in folders.split(os.pathsep) if each]
        machine.append(Path("/etc"))
        user = Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config", "pip")
    places = [place / "pip.conf" for place in (*machine, home / ".pip", user)]
    return [place for place in (*places, *([Path(named)] if named else [])) if place.is_file()]


def pip_name(name: str) -> str:
    """Return the name of a setting as pip's documents spell it."""
    return name.lower().replace("_", "-").removeprefix("--")


def uv_settings() -> tuple[dict[str, Any], dict[str, str]]:
    """Return the settings of uv that count, from its files and from variables.

    Source: https://docs.astral.sh/uv/concepts/configuration-files
    """
    variables = {
        name: value for name, value in os.environ.items() if UV_VARIABLES.fullmatch(name) and value
    }
    settings: dict[str, Any] = {}
    for file in uv_files():
        try:
            read = tomllib.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError) as error:
            raise unreadable("uv", file, error) from None
        of_pip = read.get("pip")
        for table in (of_pip if isinstance(of_pip, dict) else {}, read):
            for name, value in table.items():
                if name not in UV_SETTINGS:
                    continue
                stronger = settings.get(name)
                if isinstance(stronger, list) and isinstance(value, list):
                    settings[name] = stronger + value
                else:
                    settings.setdefault(name, value)
    return settings, variables


def uv_files() -> Iterable[Path]:
    """Return uv's configuration files, the strongest first."""
    if os.environ.get("UV_NO_CONFIG", "").lower() in ("1", "true", "yes", "on", "y", "t"):
        return []
    if named := os.environ.get("UV_CONFIG_FILE"):
        return [Path(named)]
    home = Path(os.environ.get("HOME") or "/nonexistent")
    folders = [os.environ.get("XDG_CONFIG_HOME") or str(home / ".config")]
    folders += (os.environ.get("XDG_CONFIG_DIRS") or "/etc/xdg").split(os.pathsep)
    places = [Path(folder, "uv", "uv.toml") for folder in folders if folder]
    found = [place for place in (*places, Path("/etc/uv/uv.toml")) if place.is_file()]
    users = [place for place in found if place == places[0]]
    return users + [place for place in found if place != places[0]][:1]  # one of the machine's


def default_uv_cache() -> Path:
    """Return where uv keeps downloads when nothing says where."""
    home = Path(os.environ.get("HOME") or "/nonexistent")
    return Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache") / "uv"


def toml(value: Any) -> str:
    """Return a value that was read from TOML as TOML."""
    if isinstance(value, dict):
        members = ", ".join(f"{toml(str(name))} = {toml(each)}" for name, each in value.items())
        return f"{{{members}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(toml, value))}]"
    return json.dumps(value if isinstance(value, (bool, int, float)) else str(value))


def unreadable(program: str, file: Path, error: Exception) -> Refused:
    """Tell of a configuration file that cannot be read."""
    why = error.strerror if isinstance(error, OSError) else str(error).replace("\n", " ")
    return Refused(
        f"the configuration file of {program}, {file}, cannot be read: {why}. Correct it.",
        BAD_INPUT,
    )


if __name__ == "__main__":
    main()
