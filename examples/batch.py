"""Colour all clips of a folder, one after the other, with vspipe and encode_y4m.py.

    python examples/batch.py films -o coloured

films/a.mp4 is coloured by films/a.png, its first frame in colour, or by the images in the folder
films/a, each named by the number of the frame it shows: 0.png, 240.png. Clips that are in the
output folder already are passed over, so that a batch that was cut off can be taken up again.
The outputs are H.264 that browsers and phones play, with the clip's range, timing and audio.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
CLIPS = {".avi", ".m4v", ".mkv", ".mov", ".mp4", ".mpg", ".webm"}


def script_for(clip: Path) -> list[str]:
    """The script, and the argument that names the clip's keys; empty if it has none."""
    image, folder = clip.with_suffix(".png"), clip.with_suffix("")
    if folder.is_dir():
        return [str(HERE / "many_keys.vpy"), "--arg", f"keys={folder.resolve()}"]
    if image.is_file():
        return [str(HERE / "propagate.vpy"), "--arg", f"key={image.resolve()}"]
    return []


def encoder(clip: Path, output: Path) -> list[str]:
    """The command that encodes y4m from its input as it is in `clip`."""
    program = [sys.executable, str(HERE / "encode_y4m.py"), "--codec", "h264-420"]
    return [*program, "--like", str(clip), "-o", str(output)]


def color(clip: Path, output: Path, options: list[str]) -> bool:
    """Colour a clip; whether that went well. The output appears when it is complete."""
    part = output.with_name(f"part-{output.name}")
    vspipe = ["vspipe", "-c", "y4m", "--arg", f"clip={clip.resolve()}", *options]
    try:
        colored = subprocess.Popen([*vspipe, *script_for(clip), "-"], stdout=subprocess.PIPE)  # noqa: S603
    except FileNotFoundError:
        raise SystemExit(
            "batch: there is no vspipe on the PATH; activate the environment that it is in"
        ) from None
    with colored:
        encoded = subprocess.run(encoder(clip, part), stdin=colored.stdout, check=False)  # noqa: S603
    if colored.returncode or encoded.returncode:
        part.unlink(missing_ok=True)
        return False
    part.replace(output)
    return True


def say(text: str) -> None:
    """Print a line; where nobody can read it, go on without."""
    try:
        print(text, flush=True)
    except OSError:
        sys.stdout = None  # or Python would try again when it exits


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument(
        "-o", "--output", type=Path, required=True, help="a folder, made if missing"
    )
    parser.add_argument("--arg", action="append", default=[], help="for the script: model=NAME")
    given = parser.parse_args()
    if not given.folder.is_dir():
        raise SystemExit(f"batch: there is no folder {given.folder}")
    try:
        given.output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SystemExit(f"batch: {error}") from None
    if given.output.samefile(given.folder):
        raise SystemExit(f"batch: {given.output} holds the clips; another folder is needed")
    options = [part for value in given.arg for part in ("--arg", value)]
    failed = 0
    taken: set[Path] = set()
    for clip in sorted(path for path in given.folder.iterdir() if path.suffix.lower() in CLIPS):
        output = given.output / f"{clip.stem}.mp4"
        if output in taken:
            say(f"{clip}: failed, {output} is another clip's; rename one of them")
            failed += 1
            continue
        taken.add(output)
        if output.exists() or not script_for(clip):
            say(f"{clip}: {'done before' if output.exists() else 'has no key'}")
            continue
        succeeded = color(clip, output, options)
        say(f"{clip}: {output if succeeded else 'failed'}")
        failed += not succeeded
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
