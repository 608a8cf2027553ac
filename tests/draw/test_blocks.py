"""Drawings of blocks and networks: every edge of the network is an arrow, nothing overlaps, no text is markup."""

from collections import Counter
from itertools import combinations, pairwise
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner

import archspec
from archspec.cli.draw import command
from archspec.draw import export, picture
from archspec.draw.blocks.drawing import Sketch, blocks
from archspec.draw.blocks.tree import DEEPEST
from archspec.errors import ArchspecError, UnknownNameError

SVG = "{http://www.w3.org/2000/svg}"


OPENED = {
    "xception",
    "shufflenet",
    "googlenet",
    "mobilenet_v2",
    "resnet18",
    "squeezenet_bypass",
    "unet",
    "vit",
    "siamese",
}
"""Networks that are opened, too: one of each kind."""


ALIKE = {"resnet34", "resnet101", "resnet152", "vgg19", "mobilenet_full", "inception_v3_keras_2016"}
"""Networks of the same blocks as others, only longer."""

GO_AROUND = {"unet", "fpn_resnet50", "siamese", "ssdlite_mobilenet_v3", "swin"}
"""Networks with edges that fit no lane: skips over levels, and what several joins take."""


def subjects():
    """Every block of the zoo that its network uses, and every network as it is shown and opened."""
    for name in sorted({*archspec.zoo.names()} - ALIKE):
        arch = archspec.load(name)
        yield name, arch, None
        if name in OPENED:
            yield name, arch, DEEPEST
        for block in arch.document.blocks:
            try:
                yield f"{name}:{block}", archspec.load(f"{name}:{block}"), None
            except UnknownNameError:
                continue  # not used at the defaults


def apart(a, b):
    return a.left >= b.right or b.left >= a.right or a.top >= b.bottom or b.top >= a.bottom


def touches(box, point):
    """Whether a point lies on the edge of a box."""
    x, y = point
    on_side = abs(x - box.left) < 1e-6 or abs(x - box.right) < 1e-6
    on_level = abs(y - box.top) < 1e-6 or abs(y - box.bottom) < 1e-6
    return (
        box.left - 1e-6 <= x <= box.right + 1e-6 and box.top - 1e-6 <= y <= box.bottom + 1e-6 and (on_side or on_level)
    )


def crosses(arrow, box):
    """Whether an arrow runs through a box."""
    for (x1, y1), (x2, y2) in pairwise(arrow.points):
        left, right, top, bottom = min(x1, x2), max(x1, x2), min(y1, y2), max(y1, y2)
        if left < box.right - 1 and right > box.left + 1 and top < box.bottom - 1 and bottom > box.top + 1:
            return True
    return False


def check(scene, network):
    """The laws of a drawing."""
    found = scene.boxes
    for band in range(0, len(found), 40):  # boxes are in order from above; far ones need no comparing
        near = found[band : band + 80]
        assert all(apart(a, b) for a, b in combinations(near, 2))
    drawn = Counter(name for box in found if box.kind != "end" for name in box.nodes)
    assert set(drawn) == {node.name for node in network.nodes if node.operator.name != "identity"}
    assert set(drawn.values()) == {1}
    for arrow in scene.arrows:
        assert touches(found[arrow.source], arrow.points[0])
        assert arrow.target is None or touches(found[arrow.target], arrow.points[-1])
        others = found[max(arrow.source - 40, 0) : (arrow.target or arrow.source) + 40]
        ends = (found[arrow.source], arrow.target is not None and found[arrow.target])
        assert arrow.far or not any(crosses(arrow, box) for box in others if box not in ends)
        assert all(min(abs(a[0] - b[0]), abs(a[1] - b[1])) < 0.02 for a, b in pairwise(arrow.points))
    for frame in scene.frames:
        left, top = frame.corner
        for box in found:
            inside = left <= box.left and box.right <= left + frame.width
            inside &= top <= box.top and box.bottom <= top + frame.height
            outside = box.right <= left or box.left >= left + frame.width
            outside |= box.bottom <= top or box.top >= top + frame.height
            assert inside or outside


def edges_of(network):
    """The edges between layers that do something, folded repeats aside."""
    alias = {name: name for name in network.inputs}
    for node in network.nodes:
        alias[node.name] = alias[node.inputs[0]] if node.operator.name == "identity" else node.name
    return [(alias[name], node.name) for node in network.nodes if alias[node.name] == node.name for name in node.inputs]


@pytest.mark.no_cover
def test_nothing_overlaps_and_every_box_has_its_arrows_on_all_of_the_zoo():
    seen = 0
    for name, arch, depth in subjects():
        table = arch.count()
        sketch = Sketch(table, "macs", depth)
        scene = sketch.scene()
        check(scene, table.network)
        home = {name: number for number, box in enumerate(scene.boxes) for name in box.nodes}
        wanted = {(home[a], home[b]) for a, b in edges_of(table.network) if home[a] < home[b]}
        assert {(arrow.source, arrow.target) for arrow in scene.arrows if arrow.target is not None} == wanted
        assert name.partition(":")[0] in GO_AROUND or not any(arrow.far for arrow in scene.arrows)
        seen += 1
    assert seen > 85


FAR = """archspec: 1
name: dense
input: [8, 16, 16]
network:
  - {conv2d: {out_channels: 8, kernel_size: 1}, as: one}
  - {conv2d: {out_channels: 8, kernel_size: 1}, as: two}
  - {conv2d: {out_channels: 8, kernel_size: 1}, as: three}
  - add: [[{from: one}], [{from: two}], [identity]]
"""


def test_what_fits_no_lane_goes_around():
    table = archspec.loads(FAR).count()
    scene = Sketch(table, "macs").scene()
    check(scene, table.network)
    assert Counter(arrow.far for arrow in scene.arrows) == {False: 5, True: 2}
    right = max(box.right for box in scene.boxes)
    assert all(max(x for x, _ in arrow.points) > right for arrow in scene.arrows if arrow.far)


TOWERS = """archspec: 1
name: two_towers
inputs: {left: [3, 32, 32], right: [3, 32, 32]}
outputs: [distance, class]
blocks:
  tower: {args: {c: required}, body: [{conv2d: {out_channels: c, kernel_size: 3}}, relu, global_avg_pool]}
network:
  - {tower: {c: 16}, as: one}
  - {tower: {c: 16}, from: right, share: one, as: two}
  - {subtract, from: [one, two], as: distance}
  - {linear: {out_features: 2}, as: class}
"""


def test_two_inputs_lead_to_two_towers_side_by_side():
    table = archspec.loads(TOWERS).count()
    scene = Sketch(table, "macs", DEEPEST).scene()
    check(scene, table.network)
    left, right, one, _, two = scene.boxes[:5]
    assert (labels(left), labels(right)) == (["input left"], ["input right"])
    assert one.right < two.left
    assert one.top == two.top
    assert "weights of one, ReLU" in labels(two)
    assert not any(arrow.far for arrow in scene.arrows)
    assert any("output class" in text for text in labels(scene.boxes[-1]))


SKIP = """archspec: 1
name: skip
input: [3, 64, 64]
blocks:
  up:
    inputs: [skip]
    body:
      - {conv_transpose2d: {out_channels: 8, kernel_size: 2, stride: 2}, as: larger}
      - {concat, from: [skip, larger]}
network:
  - {conv2d: {out_channels: 8, kernel_size: 3, padding: same}, as: fine}
  - {max_pool2d: {kernel_size: 2}, as: coarse}
  - {up: {skip: fine}, as: decoder}
"""


def test_a_skip_into_a_block_goes_around_what_it_passes():
    table = archspec.loads(SKIP).count()
    scene = Sketch(table, "macs", DEEPEST).scene()
    check(scene, table.network)
    (skip,) = (arrow for arrow in scene.arrows if arrow.far)
    assert "conv 3×3" in labels(scene.boxes[skip.source])
    assert "concat" in labels(scene.boxes[skip.target])


def labels(box):
    return [words.text for words in box.words]


def test_fire_is_drawn_as_its_paper_draws_it():
    scene = Sketch(archspec.load("squeezenet:fire").count(), "macs").scene()
    assert [labels(box)[:3] for box in scene.boxes] == [
        ["input"],
        ["squeeze", "conv 1×1", "ReLU"],
        ["expand1x1", "conv 1×1", "ReLU"],
        ["expand3x3", "conv 3×3", "ReLU"],
        ["concat"],
    ]
    squeeze, left, right = scene.boxes[1:4]
    assert left.right < right.left
    assert squeeze.middle[0] == pytest.approx((left.middle[0] + right.middle[0]) / 2)
    assert {words.text for words in scene.words} >= {"96×55×55", "16×55×55", "64×55×55", "128×55×55"}


def test_a_shortcut_that_goes_back_stands_beside_what_it_passes():
    unit = archspec.load("shufflenet:unit").count()
    scene = Sketch(unit, "macs").scene()
    pool = next(box for box in scene.boxes if "average pool" in "".join(labels(box)))
    shuffle = next(box for box in scene.boxes if "shuffle" in "".join(labels(box)))
    assert pool.right < shuffle.left
    assert not any(arrow.far for arrow in scene.arrows)


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
def test_repeats_are_drawn_once():
    scene = Sketch(archspec.load("xception").count(), "macs", 1).scene()
    assert sorted(frame.times.text for frame in scene.frames if frame.times) == ["×3", "×8"]
    (middle,) = (box for box in scene.boxes if "middle/unit8/residual/sepconv/unit3/separable/pointwise" in box.nodes)
    assert len(middle.nodes) == 8 * 3 * 3  # a separable convolution is two layers and their normalisation
    free = Sketch(archspec.load("mobilenet").count(free=["side"]), "macs").scene()
    assert any("×5" in text for box in free.boxes for text in labels(box))


def test_shares_add_up_to_the_whole():
    sketch = Sketch(archspec.load("mobilenet_v2").count(), "params", 0)
    assert sum(sketch.share(box.nodes) for box in sketch.scene().boxes[1:]) == pytest.approx(1)


def test_letters_stand_on_the_arrows():
    scene = Sketch(archspec.load("squeezenet:fire").count(free=["s1x1", "e1x1", "e3x3", "h", "w"]), "macs").scene()
    assert {"s1x1×h×w", "e1x1×h×w", "(e1x1 + e3x3)×h×w"} <= {words.text for words in scene.words}
    assert all(box.shade == 0 for box in scene.boxes)


HOSTILE = """archspec: 1
name: hostile
doc: "</title><script>alert(1)</script>"
source: {title: "<img src=x onerror=alert(1)>"}
input: [3, 8, 8]
network:
  - {conv2d: {out_channels: 4, kernel_size: 3}, as: a}
  - relu
"""


def test_no_text_of_a_drawing_is_markup():
    title = '</title><script>alert("1")</script>&\x1b'
    drawn = picture("blocks").draw(archspec.loads(HOSTILE).count(), columns=[(title, "a")])
    tree = ElementTree.fromstring(drawn.svg)  # noqa: S314  # our own
    assert {element.tag.removeprefix(SVG) for element in tree.iter()} <= {
        "svg",
        "title",
        "rect",
        "g",
        "path",
        "text",
        "circle",
    }
    assert any(element.text and element.text.startswith("</title>") for element in tree.iter(f"{SVG}text"))
    assert "<script" not in drawn.html
    assert "\x1b" not in drawn.svg


def test_a_page_of_a_network_opens_its_stages_without_a_network():
    drawn = blocks(archspec.load("squeezenet").count())
    assert drawn.html.count("<details>") == 8 + 2  # the fire modules, conv1, conv10
    assert "http" not in drawn.html.replace("http://www.w3.org/2000/svg", "")
    ElementTree.fromstring(drawn.svg)  # noqa: S314  # our own


def test_columns_are_of_one_network_and_of_its_stages():
    xception = archspec.load("xception").count()
    flows = [("entry flow", "conv1"), ("middle flow", "middle"), ("exit flow", "exit")]
    drawn = blocks(xception, depth=1, columns=flows)
    texts = [element.text for element in ElementTree.fromstring(drawn.svg).iter(f"{SVG}text")]  # noqa: S314
    assert {"entry flow", "middle flow", "exit flow", "×8"} <= set(texts)
    assert texts.count("input") == 3
    with pytest.raises(ArchspecError, match="no stage 'ntry1'"):
        blocks(xception, columns=[("x", "ntry1")])
    with pytest.raises(ArchspecError, match="in the order of the network"):
        blocks(xception, columns=[("a", "exit"), ("b", "middle"), ("c", "middle")])
    with pytest.raises(ArchspecError, match="columns are of one network"):
        blocks(xception, xception, columns=flows)


def test_several_stand_side_by_side_with_what_tells_them_apart():
    forms = [archspec.load("inception_module").count(form=form) for form in ("canonical", "extreme")]
    texts = [element.text for element in ElementTree.fromstring(blocks(*forms).svg).iter(f"{SVG}text")]  # noqa: S314
    assert {"inception_module, form = canonical", "inception_module, form = extreme"} <= set(texts)


def test_the_command_draws_and_refuses(tmp_path):
    def run(*arguments):
        return CliRunner().invoke(command, [*arguments])

    done = run("squeezenet:fire", "--symbolic", "-o", str(tmp_path / "fire.svg"))
    assert done.exit_code == 0, done.output
    assert "s1x1×h×w" in (tmp_path / "fire.svg").read_text(encoding="utf-8")
    wrong = run("squeezenet", "--column", "entry", "-o", str(tmp_path / "x.svg"))
    assert "TITLE=STAGE" in str(wrong.exception)
    assert "written as .svg" in str(run("squeezenet", "-o", str(tmp_path / "x.dot")).exception)
    assert [path.name for path in tmp_path.iterdir()] == ["fire.svg"]


def test_a_drawing_is_a_picture_in_a_notebook():
    drawn = archspec.load("lenet_5").count().plot("blocks")
    assert archspec.load("lenet_5").plot() == archspec.load("lenet_5").expand().plot() == drawn
    assert drawn._repr_mimebundle_()["image/svg+xml"] == drawn.svg == export.svg(drawn)
    assert repr(drawn).startswith("<SvgDrawing lenet_5, ")
