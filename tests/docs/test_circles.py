"""Inside a room a circle of modules needs a reason, which is written where the circle is closed."""

import pytest

KNOWN = {
    "archspec.emit.code",  # Python's operators of a value ask the rules above it: value.py
    "archspec.train",  # a teacher is a run, and a run's recipe may distil: methods/distil.py
}


def test_no_circle_of_modules_but_those_with_a_reason():
    grimp = pytest.importorskip("grimp")
    networkx = pytest.importorskip("networkx")
    graph = grimp.build_graph("archspec", exclude_type_checking_imports=True, cache_dir=None)
    arrows = networkx.DiGraph(
        (module, other) for module in graph.modules for other in graph.find_modules_directly_imported_by(module)
    )
    circles = [found for found in networkx.strongly_connected_components(arrows) if len(found) > 1]
    odd = [sorted(found) for found in circles if not any(all(m.startswith(room) for m in found) for room in KNOWN)]
    assert odd == []
    assert len(circles) == len(KNOWN)
