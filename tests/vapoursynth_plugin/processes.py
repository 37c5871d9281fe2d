"""Scripts in processes of their own, as users run them: Python, and vspipe."""

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
SCRIPTS = Path(sysconfig.get_path("scripts"))


def environment():
    """The environment of a shell in which the programs of this one are found; without PWD."""
    variables = {name: value for name, value in os.environ.items() if name != "PWD"}
    return variables | {"PATH": os.pathsep.join((str(SCRIPTS), os.environ["PATH"]))}


def arguments(given):
    """Arguments of a script, as vspipe takes them."""
    return [part for item in given.items() for part in ("--arg", "{}={}".format(*item))]


def whole(folder, given):
    """Arguments of a script, those that name files in `folder` by their whole paths."""
    named = {name: folder / str(value) for name, value in given.items()}
    return {name: path if path.exists() else given[name] for name, path in named.items()}


def vspipe(*arguments, cwd, check=True):
    """What vspipe returns and writes."""
    command = [SCRIPTS / "vspipe", *arguments]
    done = subprocess.run(command, cwd=cwd, env=environment(), capture_output=True, check=False)
    assert done.returncode == 0 or not check, done.stderr.decode()
    return done


def example(name, footage, model, *options, **given):
    """The bytes that vspipe writes of an example.

    given: its arguments besides the model; what names a file in `footage` is given as a whole path.
    """
    given = whole(footage, {"model": model, "provider": "cpu"} | given)
    return vspipe(*arguments(given), *options, EXAMPLES / name, "-", cwd=footage).stdout


def python(script, *arguments, **options):
    """What a Python script writes to stdout."""
    command = [sys.executable, "-c", script, *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, **options)
    assert done.returncode == 0, done.stderr
    return done.stdout
