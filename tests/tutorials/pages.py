"""Runs a page of docs/tutorials: its files, its commands and its Python, in the order in which they stand there.

    ```yaml              with a first line "# file: NAME": the file is written
    ```console           each line "$ archspec …" is run, and what is printed stands below it
    ```python            run, all of a page in one scope
    <!-- about -->       before a block: numbers may differ, words may not

`UPDATE_DOCS=1` writes what is printed into the page.
"""

import re
import shlex
from pathlib import Path

from click.testing import CliRunner

from archspec.cli import app

BLOCK = re.compile(r"(<!-- about -->\n)?^```(yaml|console|python)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def run(text):
    """The page as it would be written, after all that it shows has been run in the current folder."""
    scope = {}

    def done(block):
        about, language, body = block.groups()
        if language == "python":
            exec(compile(body, "<page>", "exec"), scope)  # noqa: S102  # our own page
            return block[0]
        if language == "yaml":
            name = re.match(r"# file: (\S+)\n", body)
            if name:
                Path(name[1]).write_text(body)
            return block[0]
        printed = "\n\n".join(_printed(line) for line in body.splitlines() if line.startswith("$ "))
        return f"{about or ''}```console\n{printed}\n```"

    return BLOCK.sub(done, text)


def _printed(line):
    arguments = shlex.split(line.removeprefix("$ archspec "))
    result = CliRunner().invoke(app, arguments, env={"COLUMNS": "100"}, catch_exceptions=False)
    assert result.exit_code == 0, f"{line}: {result.output}"
    return f"{line}\n{result.stdout.rstrip()}"


def alike(text):
    """A page without what may differ: behind <!-- about -->, numbers, bars and widths."""

    def blurred(block):
        if not block[1]:
            return block[0]
        return re.sub(r"[ ─]+", " ", re.sub(r"\d+(,\d{3})*(\.\d+)?", "#", block[0]))

    return BLOCK.sub(blurred, text)
