"""The command line under limits of memory and time: `python limited.py check FILE`."""

import resource
import runpy

MEMORY = 500 * 2**20
SECONDS = 20

if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    runpy.run_module("archspec", run_name="__main__")
