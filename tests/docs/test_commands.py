"""What the pages tell a reader to type: verbs and options that there are, and chapters that there are."""

import re
import shlex
from collections import Counter
from importlib import import_module
from pathlib import Path

import click
import pytest

from archspec.cli import VERBS

ROOT = Path(__file__).parents[2]
PAGES = (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md")))
COMMAND = re.compile(r"(?:^|[`$ ]|&& )archspec ([a-z-]+(?: [^`\n]*)?)", re.MULTILINE)


def commands(page):
    """The commands of a page that stand there in full, as arguments."""
    text = page.read_text(encoding="utf-8").replace("\\\n", " ")
    for found in COMMAND.finditer(text):
        line = re.split(r" #| && | \| | > ", found[1])[0].strip()
        if line.split()[0] in VERBS and not re.search(r"…|\[|\bVERB\b|--help", line) and line.count("'") % 2 == 0:
            yield shlex.split(line)


def verb_of(name):
    module = {"import": "import_"}.get(name, name.replace("-", "_"))
    return import_module(f"archspec.cli.{module}").command


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_commands_of_a_page_are_ones_that_there_are(page):
    for verb, *arguments in commands(page):
        command, rest = verb_of(verb), arguments
        while isinstance(command, click.Group) and rest and rest[0].islower():
            command, rest = command.get_command(click.Context(command), rest[0]), rest[1:]
            assert command is not None, arguments
        if isinstance(command, click.Group):
            continue
        try:
            command.make_context(verb, list(rest))
        except (click.MissingParameter, click.exceptions.BadOptionUsage):
            continue  # named in a sentence, with what it is about
        except click.exceptions.UsageError as error:
            pytest.fail(f"{page.name}: archspec {shlex.join((verb, *arguments))}: {error.format_message()}")


def test_every_verb_stands_in_a_chapter():
    seen = Counter(found[1].split()[0] for page in PAGES for found in COMMAND.finditer(page.read_text("utf-8")))
    assert [verb for verb in VERBS if not seen[verb]] == []


def anchors(page):
    heads = [line.lstrip("#").strip().lower() for line in page.read_text("utf-8").splitlines() if line.startswith("#")]
    return {re.sub(r"[^\w\- ]", "", head.replace("`", "")).replace(" ", "-") for head in heads}


def test_what_a_page_leads_to_is_there():
    for page in PAGES:
        for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
            target, _, anchor = link.partition("#")
            if "://" in link:
                continue
            found = (page.parent / target).resolve() if target else page
            assert found.exists(), (page.name, link)
            assert not anchor or found.suffix != ".md" or anchor in anchors(found), (page.name, link)
