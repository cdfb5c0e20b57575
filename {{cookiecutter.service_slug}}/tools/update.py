"""`make update`: takes in the newest template, and other answers to its prompts.

Run by the Python of cruft. A wrong answer ends in one line and changes nothing. Where both sides
changed the same lines, it names the files and ends with 1.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import cruft
from click import ClickException
from cookiecutter import exceptions

STATE = Path(".cruft.json")


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="make update", description=__doc__)
    parser.add_argument("answers", nargs="*", metavar="PROMPT=ANSWER", help="an answer to change")
    parser.add_argument("--checkout", help="a commit, tag or branch, in place of the newest commit")
    parser.add_argument("--cookiecutter-input", action="store_true", help="ask for each answer")
    given = parser.parse_args(arguments)
    state = json.loads(STATE.read_text("utf-8"))
    with tempfile.TemporaryDirectory() as folder:
        template = Path(folder) / "template"
        git("clone", "--quiet", "--mirror", state["template"], str(template))
        kept = Path(state.get("directory") or "") / "cookiecutter.json"
        prompts = git("-C", str(template), "show", f"{given.checkout or 'HEAD'}:{kept.as_posix()}")
        answers = parsed(given.answers, json.loads(prompts))
        silence_hooks()
        try:
            is_done = cruft.update(
                template_path=template,
                checkout=given.checkout,
                cookiecutter_input=given.cookiecutter_input,
                extra_context=answers,
                skip_apply_ask=True,
            )
        except (exceptions.CookiecutterException, ClickException, ValueError) as error:
            sys.exit(f"Nothing has changed: {error}")
    if not is_done:
        sys.exit(1)
    if report := conflicts():
        sys.exit(report)


def silence_hooks() -> None:
    """What processes that this one starts print goes nowhere: the template's hooks say how to begin
    with a new service. What this process prints, and their errors, are shown as before."""
    sys.stdout = os.fdopen(os.dup(1), "w")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)


def parsed(given: list[str], prompts: Mapping[str, object]) -> dict[str, str]:
    """The answers by their prompts. Ends with one line for what is no prompt."""
    answers: dict[str, str] = {}
    for each in given:
        prompt, equals, answer = each.partition("=")
        if not equals or prompt.startswith("_") or prompt not in prompts:
            known = ", ".join(name for name in prompts if not name.startswith("_"))
            sys.exit(f"Nothing has changed: {each!r} is no PROMPT=ANSWER. The prompts are {known}")
        answers[prompt] = answer
    return answers


def conflicts() -> str:
    """What is left to do by hand; empty if nothing is."""
    unmerged = git("ls-files", "--unmerged", "-z", check=False).split("\0")
    marked = sorted({entry.partition("\t")[2] for entry in unmerged if entry})
    rejected = sorted(map(str, Path().rglob("*.rej")))
    report = [f"Both sides changed the same lines: choose in {path}" for path in marked]
    report += [f"Lines did not fit: write them in, and delete {path}" for path in rejected]
    return "\n".join(report)


def git(*arguments: str, check: bool = True) -> str:
    """What git prints. Ends with git's own line if it fails, unless told not to check."""
    done = subprocess.run(["git", *arguments], capture_output=True, text=True, check=False)
    if check and done.returncode:
        sys.exit(f"Nothing has changed: {done.stderr.strip()}")
    return done.stdout


if __name__ == "__main__":
    main(sys.argv[1:])
