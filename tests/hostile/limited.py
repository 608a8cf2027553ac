"""The command line under limits of memory and time, in a process of its own for each line of standard input.

A line is JSON: the arguments, the file that standard input reads, and files for what is printed. The answer says the
exit code and the seconds. What the command is made of is loaded once, before the first process is forked.
"""

import json
import os
import resource
import sys
from collections.abc import Sequence

import archspec.cli.check  # noqa: F401  # loaded before
from archspec.cli import main

MEMORY = 500 * 2**20
SECONDS = 20


def run(arguments: Sequence[str], streams: Sequence[str]) -> None:
    """The command in this process, under the limits; what it cannot take ends the process."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    for number, path in enumerate(streams):
        os.dup2(os.open(path, os.O_RDONLY if number == 0 else os.O_WRONLY | os.O_CREAT), number)
    sys.argv[1:] = arguments
    main()


if __name__ == "__main__":
    for line in iter(sys.stdin.readline, ""):
        asked = json.loads(line)
        if not (child := os.fork()):
            run(**asked)
        _, status, used = os.wait4(child, 0)
        answer = {"code": os.waitstatus_to_exitcode(status), "seconds": used.ru_utime + used.ru_stime}
        print(json.dumps(answer), flush=True)
