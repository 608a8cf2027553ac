"""The command line in two processes that share a training, as torchrun starts them; what it loads is loaded once.

The arguments are the command's. torchrun's own start takes longer than the training; of it a process sees these
variables alone (https://docs.pytorch.org/docs/stable/elastic/run.html, "Environment Variables").
"""

import os
import socket
import sys

import sklearn.datasets  # noqa: F401  # loaded before
import torch._dynamo  # noqa: F401  # as every optimiser does

import archspec.cli.train
import archspec.train.run  # noqa: F401
from archspec.cli import main

PROCESSES = 2

if __name__ == "__main__":
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    children = []
    for rank in range(PROCESSES):
        if not (child := os.fork()):
            places = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": PROCESSES, "LOCAL_WORLD_SIZE": PROCESSES}
            os.environ |= {name: str(value) for name, value in places.items()}
            os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
            main()
        children.append(child)
    sys.exit(max(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children))
