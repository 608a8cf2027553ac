"""The example of docs/published.md holds."""

import re
from pathlib import Path

from archspec.published import UNITS, load, reproduce

PAGE = (Path(__file__).parent.parent.parent / "docs" / "published.md").read_text()


def test_the_example_reproduces(tmp_path):
    example, _ = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    file = tmp_path / "my_tables.yaml"
    file.write_text(example)
    verdicts = {finding.figure.id: str(finding.verdict) for finding in reproduce(load(file), tmp_path)}
    assert verdicts == {
        "table1.params": "rounds",
        "table1.half": "rounds",
        "text.saving": "rounds",
        "table2.kept": "exact",
        "table3.latency": "measured",
    }


def test_the_example_of_a_table_reproduces(tmp_path):
    _, example = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    file = tmp_path / "my_tables.yaml"
    file.write_text(example)
    verdicts = {finding.figure.id: str(finding.verdict) for finding in reproduce(load(file), tmp_path)}
    assert verdicts["lenet300.fc1.weights"] == "rounds"
    assert verdicts["lenet300.fc3.weights"] == "exact"
    assert verdicts["lenet300.fc1.density"] == "measured"
    assert verdicts["lenet300.total.density"] == "rounds"


def test_the_units_are_all_there():
    for unit in UNITS:
        assert unit in PAGE
