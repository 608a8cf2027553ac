"""Steps that are made in Python before any document is: they are written like those that were read."""

import subprocess
import sys

CODE = """
import warnings
warnings.simplefilter("error")
from archspec.language.steps import Call, Join
join = Join(operator="add", branches={"left": (Call(name="identity"),), "right": (Call(name="relu"),)})
from archspec.language import dumps, loads
from archspec.language.document import Document
document = Document(archspec=1, name="n", input=(3, 8, 8), network=(join,))
assert loads(dumps(document)) == document
"""


def test_steps_may_be_older_than_their_document():
    subprocess.run([sys.executable, "-c", CODE], check=True)
