"""Data: what is read, how it is fitted, and how what cannot be read is refused."""

import gzip
import io
import zipfile

import numpy as np
import pytest
import torch
from PIL import Image

from archspec import extras
from archspec.errors import ArchspecError, MissingExtraError
from archspec.train import data
from archspec.train.data import Data, DataSplit, cifar, folder, idx, kind_of, load, split


def idx_file(code, sizes, content):
    return bytes([0, 0, code, len(sizes)]) + b"".join(size.to_bytes(4) for size in sizes) + bytes(content)


IMAGES = {"train": [[[0, 255], [1, 2]], [[3, 4], [5, 6]], [[7, 8], [9, 10]]], "t10k": [[[11, 12], [13, 14]]]}
LABELS = {"train": [0, 2, 1], "t10k": [1]}


@pytest.fixture
def mnist(tmp_path):
    """Four files of 2 × 2 images; those tested on are gzipped."""
    for prefix, images in IMAGES.items():
        flat = [pixel for image in images for row in image for pixel in row]
        files = {
            "images-idx3-ubyte": idx_file(8, [len(images), 2, 2], flat),
            "labels-idx1-ubyte": idx_file(8, [len(images)], LABELS[prefix]),
        }
        for name, content in files.items():
            if prefix == "train":
                (tmp_path / f"train-{name}").write_bytes(content)
            else:
                (tmp_path / f"t10k-{name}.gz").write_bytes(gzip.compress(content))
    return tmp_path


# ------------------------------------------------------------------ IDX


def test_idx_files_are_read_as_they_stand(mnist):
    found = load(f"mnist:{mnist}", (1, 2, 2), 3)
    assert found.train.images.tolist() == [[image] for image in IMAGES["train"]]
    assert (found.train.labels.tolist(), found.test.labels.tolist()) == ([0, 2, 1], [1])
    assert found.test.images.dtype == torch.uint8
    assert (found.classes, found.note) == (3, "")


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", "begins with nothing; an IDX file of bytes with 3 sizes begins with 00 00 08 03"),
        (b"\x00\x00\x0d\x03", "begins with 00 00 0d 03"),
        (idx_file(8, [3], [0, 2, 1]), "begins with 00 00 08 01"),
        (b"\x00\x00\x08\x03\x00\x00", "is cut off in its header"),
        (idx_file(8, [3, 2, 2], range(11)), "says 12 bytes of data and has 11"),
        (idx_file(8, [3, 2, 2], range(13)), "says 12 bytes of data and has more"),
        (idx_file(8, [0, 2, 2], []), "holds nothing: its sizes are 0×2×2"),
        (idx_file(8, [2**31, 2**10, 2**10], []), "would take 2,251,799,813,685,248 bytes"),
        (idx_file(8, [2, 2, 2], range(8)), "2 training images have 3 labels"),
    ],
)
def test_a_broken_idx_file_is_refused_with_what_was_found(mnist, content, fault):
    (mnist / "train-images-idx3-ubyte").write_bytes(content)
    with pytest.raises(ArchspecError) as caught:
        load(f"mnist:{mnist}", (1, 2, 2), 3)
    assert fault in str(caught.value).replace("train images", "training images")


def test_a_gzip_that_is_cut_off_or_none_is_refused(mnist):
    path = mnist / "t10k-images-idx3-ubyte.gz"
    whole = path.read_bytes()
    for broken in (whole[:-9], whole[:4], b"no gzip at all", whole[:20] + b"\xff" * 20):
        path.write_bytes(broken)
        with pytest.raises(
            ArchspecError, match=r"idx3-ubyte\.gz: (cannot be read|says|begins|is cut off|the images would take)"
        ):
            load(f"mnist:{mnist}", (1, 2, 2), 3)


def test_a_header_that_promises_much_costs_no_memory(mnist, monkeypatch):
    monkeypatch.setattr(split, "MAX_BYTES", 2**40)
    (mnist / "train-images-idx3-ubyte").write_bytes(idx_file(8, [2**20, 2**9, 2**9], [1]))
    with pytest.raises(ArchspecError, match="says 274,877,906,944 bytes of data and has 1"):
        idx.read(str(mnist))


def test_a_missing_file_is_named(mnist):
    (mnist / "t10k-labels-idx1-ubyte.gz").unlink()
    with pytest.raises(ArchspecError, match=r"there is no t10k-labels-idx1-ubyte\.gz and no t10k-labels-idx1-ubyte"):
        load(f"mnist:{mnist}", (1, 2, 2), 3)


def test_labels_of_the_test_beyond_the_classes_are_refused(mnist):
    (mnist / "t10k-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx_file(8, [1], [9])))
    with pytest.raises(ArchspecError, match="the test labels are from 9 to 9; the classes are from 0 to 2"):
        load(f"mnist:{mnist}", (1, 2, 2), 3)


# ------------------------------------------------------------------ digits


def test_digits_are_split_once_and_for_all():
    found = load("digits", (1, 8, 8), 10)
    assert (len(found.train), len(found.test)) == (1797 - 360, 360)
    assert found.digest == load("digits", (1, 8, 8), 10).digest
    assert found.train.images.amax() == 255
    assert found.train.labels.bincount().min() > 120


def test_digits_are_fitted_to_the_network_and_say_so():
    found = load("digits", (3, 16, 20), 10)
    assert found.train.images.shape == (1437, 3, 16, 20)
    assert torch.equal(found.train.images[:, 0], found.train.images[:, 2])
    assert found.note == "1×8×8 fitted to 3×16×20: bilinear, grey as three channels"


@pytest.mark.parametrize(("name", "module"), [("digits", "sklearn"), ("image-folder:x", "PIL")])
def test_without_what_reads_them_the_extra_is_named(monkeypatch, name, module):
    monkeypatch.setattr(extras, "find_spec", lambda _: None)
    with pytest.raises(MissingExtraError, match=rf"this needs {module}: pip install 'archspec-nn\[train\]'"):
        load(name, (1, 8, 8), 10)


# ------------------------------------------------------------------ folders


def picture(path, colour, size=(4, 4), form="PNG", mode="RGB"):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, colour).save(path, form)


@pytest.fixture
def pictures(tmp_path):
    """Red and blue squares."""
    for part in ("train", "test"):
        for i in range(3):
            picture(tmp_path / part / "red" / f"{i}.png", (255, 0, 0))
            picture(tmp_path / part / "blue" / f"{i}.JPG", (0, 0, 255), form="JPEG")
    (tmp_path / "train" / "notes.txt").write_text("not an image")
    return tmp_path


def test_a_folder_a_class_in_alphabetical_order(pictures):
    found = load(f"image-folder:{pictures}", (3, 4, 4), 2)
    assert found.train.labels.tolist() == [0, 0, 0, 1, 1, 1]
    assert found.train.images[3, :, 0, 0].tolist() == [255, 0, 0]
    assert found.train.images[0, 2].float().mean() > 250
    assert len(found.test) == 6


def test_a_zip_file_is_read_like_the_folder_in_it(pictures, tmp_path):
    packed = tmp_path / "pictures.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        for path in sorted(pictures.rglob("*.[pJ]*")):
            archive.write(path, path.relative_to(pictures).as_posix())
    with_zip = load(f"image-folder:{packed}", (3, 4, 4), 2)
    with_folder = load(f"cifar10:{pictures}", (3, 4, 4), 2)
    assert with_zip.digest == with_folder.digest
    assert with_folder.note == "read from image files"


def test_colours_become_grey_where_the_network_takes_one_channel_and_it_is_asked_for(pictures):
    with pytest.raises(ArchspecError, match=r"is in colour, and the network takes grey images; --resize makes colours"):
        load(f"image-folder:{pictures}", (1, 4, 4), 2)
    found = load(f"image-folder:{pictures}", (1, 4, 4), 2, resize=True)
    assert found.train.images[3].unique().tolist() == [76]  # 0.299 of 255
    assert "colours made grey" in found.note


def pixel(tmp_path, image, channels=1, ending="png", resize=False):
    """What is read of an image of one colour, a number a channel."""
    for number in range(5):
        place = tmp_path / "a" / f"{number}.{ending}"
        place.parent.mkdir(exist_ok=True)
        image.save(place)
    read = load(f"image-folder:{tmp_path}", (channels, 4, 4), 1, resize=resize).train.images
    return read[0, :, 0, 0].tolist()


@pytest.mark.parametrize(("value", "grey"), [(0, 0), (128, 0), (129, 1), (257 * 40, 40), (65535, 255)])
@pytest.mark.parametrize("ending", ["png", "pgm"])
def test_sixteen_bits_become_eight(tmp_path, value, grey, ending):
    image = Image.fromarray(np.full((4, 4), value, dtype="uint16"))
    assert pixel(tmp_path, image, ending=ending) == [grey]  # value / 257, rounded
    assert pixel(tmp_path, image, 3, ending) == [grey] * 3


def test_fractions_of_no_scale_are_refused(tmp_path):
    with pytest.raises(ArchspecError, match="its pixels are fractions, of no known scale"):
        pixel(tmp_path, Image.fromarray(np.ones((4, 4), dtype="float32")), ending="pfm")


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_transparent_pixels_are_refused_and_opaque_ones_are_not(tmp_path, mode):
    clear = Image.new("RGBA", (4, 4), (9, 9, 9, 0)).convert(mode)
    with pytest.raises(ArchspecError, match="some pixels are transparent; save it on a background"):
        pixel(tmp_path, clear)
    assert pixel(tmp_path, Image.new("RGBA", (4, 4), (9, 9, 9, 255)).convert(mode)) == [9]


def test_grey_in_three_equal_channels_is_grey(tmp_path):
    assert pixel(tmp_path, Image.new("RGB", (4, 4), (7, 7, 7))) == [7]
    assert pixel(tmp_path, Image.new("1", (4, 4), 1)) == [255]
    assert pixel(tmp_path, Image.new("L", (4, 4), 7), 3) == [7, 7, 7]


def test_validation_images_are_what_their_folder_says(pictures):
    for label in ("blue", "red"):
        picture(pictures / "val" / label / "0.png", (1, 2, 3))
    found = load(f"image-folder:{pictures}", (3, 4, 4), 2)
    assert (len(found.train), len(found.test), len(found.validation)) == (6, 6, 2)
    assert found.names == ("blue", "red")
    with pytest.raises(ArchspecError, match="there are validation images of their own; leave validation: 2 out"):
        data.held_out(found, 2, seed=0)


def test_decoded_images_are_kept_until_a_file_changes(pictures, tmp_path, monkeypatch):
    monkeypatch.setenv(folder.CACHE_VARIABLE, str(tmp_path / "cache"))
    monkeypatch.setattr(folder, "LEAST_CACHED", 1)
    monkeypatch.setattr(folder, "TOLD", 5)
    told = []

    def read():
        return load(f"image-folder:{pictures}", (3, 4, 4), 2, progress=lambda *each: told.append(each)).digest

    first = read()
    assert told == [(5, 12), (10, 12), (12, 12)]
    assert (read(), len(told)) == (first, 3)
    (kept,) = (tmp_path / "cache").iterdir()
    kept.write_bytes(b"no safetensors file")
    assert (read(), len(told)) == (first, 6)
    picture(next((pictures / "train" / "blue").iterdir()).with_name("0.png"), (9, 9, 9))
    changed = read()
    assert changed != first
    assert len(told) > 6
    monkeypatch.setenv(folder.CACHE_VARIABLE, "")
    assert read() == changed
    monkeypatch.setenv(folder.CACHE_VARIABLE, "/dev/null/no")
    assert read() == changed


def test_the_cache_lies_where_caches_do(monkeypatch):
    monkeypatch.delenv(folder.CACHE_VARIABLE, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    assert folder.cache_folder().as_posix() == "/somewhere/archspec/images"


def test_without_parts_every_fifth_image_is_tested_on(tmp_path):
    for label in "abc":
        for i in range(5):
            picture(tmp_path / label / f"{i}.png", i * 10, mode="L")
    found = load(f"image-folder:{tmp_path}", (1, 4, 4), 3)
    assert (len(found.train), len(found.test)) == (12, 3)
    assert found.note == "one image in 5 is tested on, chosen with seed 0"


def test_images_of_another_size_are_refused_unless_they_may_be_resized(pictures):
    with pytest.raises(ArchspecError, match=r"blue/0\.JPG is 4×4, the network takes 3×3; --resize fits"):
        load(f"image-folder:{pictures}", (3, 3, 3), 2)
    found = load(f"image-folder:{pictures}", (3, 3, 3), 2, resize=True)
    assert found.train.images.shape == (6, 3, 3, 3)
    assert "fitted to 3×3×3 with Pillow" in found.note


def test_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(ArchspecError, match="there are no images in folders of classes"):
        load(f"image-folder:{tmp_path}", (3, 4, 4), 2)
    with pytest.raises(ArchspecError, match="there is no such folder or zip file"):
        load(f"image-folder:{tmp_path / 'none'}", (3, 4, 4), 2)
    (tmp_path / "none.zip").write_bytes(b"no zip file")
    with pytest.raises(ArchspecError, match="neither a folder nor a zip file"):
        load(f"image-folder:{tmp_path / 'none.zip'}", (3, 4, 4), 2)


def test_parts_that_do_not_fit_are_refused(pictures):
    picture(pictures / "test" / "green" / "0.png", (0, 255, 0))
    with pytest.raises(ArchspecError, match="test, train have different classes: green is not in all of them"):
        load(f"image-folder:{pictures}", (3, 4, 4), 3)
    picture(pictures / "green" / "0.png", (0, 255, 0))
    with pytest.raises(ArchspecError, match="has CLASS/, test, train; expected train and test"):
        load(f"image-folder:{pictures}", (3, 4, 4), 3)


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", "is not an image of a format that is read: JPEG, PNG"),
        (b"GIF89a\x01\x00\x01\x00\x00\x00\x00;", "is not an image of a format that is read"),
        ("cut", "cannot be read"),
        ("large", "cannot be read: more than 64 bytes"),
        ("pixels", "cannot be read: 40×40 pixels; at most 1,000 are read"),
    ],
)
def test_an_image_that_cannot_be_read_is_named(tmp_path, content, fault, monkeypatch):
    stream = io.BytesIO()
    Image.effect_noise((40, 40), 50).save(stream, "PNG")
    whole = stream.getvalue()
    if content == "large":
        monkeypatch.setattr(folder, "MAX_FILE", 64)
    if content == "pixels":
        monkeypatch.setattr(folder, "MAX_PIXELS", 1000)
    (tmp_path / "blue").mkdir()
    (tmp_path / "blue" / "9.png").write_bytes(
        {"cut": whole[:-200], "large": whole, "pixels": whole}.get(content, content)
    )
    with pytest.raises(ArchspecError) as caught:
        load(f"image-folder:{tmp_path}", (3, 4, 4), 1)
    assert f"blue/9.png {fault}" in str(caught.value)


def test_channels_that_no_image_has_are_refused(pictures):
    with pytest.raises(ArchspecError, match="read with 1 or 3 channels; the network takes 4"):
        load(f"image-folder:{pictures}", (4, 4, 4), 2)


# ------------------------------------------------------------------ CIFAR-10


@pytest.fixture
def binary(tmp_path):
    """Two images a file, of one colour a channel."""
    for number, name in enumerate((*cifar.TRAIN, *cifar.TEST)):
        record = b"".join(bytes([number + label]) + b"".join(bytes([c]) * 1024 for c in (1, 2, 3)) for label in (0, 4))
        (tmp_path / f"{name}.bin").write_bytes(record)
    return tmp_path


def test_the_binary_version_is_a_label_and_three_planes(binary):
    found = load(f"cifar10:{binary}", (3, 32, 32), 10)
    assert found.train.labels.tolist() == [0, 4, 1, 5, 2, 6, 3, 7, 4, 8]
    assert found.test.labels.tolist() == [5, 9]
    assert found.train.images[0, :, 5, 7].tolist() == [1, 2, 3]


def test_the_pickled_version_is_not_read(binary):
    (binary / "data_batch_3.bin").rename(binary / "data_batch_3")
    with pytest.raises(ArchspecError, match=r"no data_batch_3\.bin .*pickled and is not read"):
        load(f"cifar10:{binary}", (3, 32, 32), 10)


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", "has 0 bytes; expected images of 3,073 bytes each"),
        (b"\x00" * 3072, "has 3,072 bytes"),
        (b"\x0a" + b"\x00" * 3072, "an image has the label 10; the classes are from 0 to 9"),
        (None, "there is no test_batch.bin of CIFAR-10's binary version"),
    ],
)
def test_a_broken_binary_file_is_refused(binary, content, fault):
    (binary / "test_batch.bin").unlink()
    if content is not None:
        (binary / "test_batch.bin").write_bytes(content)
    with pytest.raises(ArchspecError) as caught:
        load(f"cifar10:{binary}", (3, 32, 32), 10)
    assert fault in str(caught.value)


# ------------------------------------------------------------------ what all have in common


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("mnits:x", "no data are called 'mnits'; did you mean 'mnist'"),
        ("x", "there are digits, mnist:DIR, cifar10:DIR and image-folder:PATH"),
        ("mnist", "--data mnist needs a place: mnist:DIR"),
        ("image-folder:", "needs a place: image-folder:PATH"),
        ("digits:here", "lie nowhere else: --data digits"),
    ],
)
def test_data_of_no_kind_are_refused(name, fault):
    with pytest.raises(ArchspecError) as caught:
        kind_of(name)
    assert fault in str(caught.value)


def test_shapes_and_classes_must_agree_with_the_network(mnist):
    with pytest.raises(ArchspecError, match="mnist has 3 classes, the network 10 outputs; try --set classes=3"):
        load(f"mnist:{mnist}", (1, 2, 2), 10)
    with pytest.raises(ArchspecError, match="images are 1×2×2, the network takes 3×2×2; try --set input_channels=1"):
        load(f"mnist:{mnist}", (3, 2, 2), 3)
    with pytest.raises(ArchspecError, match="the network takes 1×5×5; try --set side=2, if its symbols"):
        load(f"mnist:{mnist}", (1, 5, 5), 3)
    with pytest.raises(ArchspecError, match="the network takes 2×2×2; images do not fit it"):
        load(f"mnist:{mnist}", (2, 2, 2), 3, resize=True)
    assert load(f"mnist:{mnist}", (3, 4, 4), 3, resize=True).test.shape == (3, 4, 4)


def test_colour_is_averaged_where_one_channel_is_wanted(binary):
    found = load(f"cifar10:{binary}", (1, 32, 32), 10, resize=True)
    assert found.train.images[0].unique().tolist() == [2]


def grey(images, labels):
    return DataSplit(torch.tensor(images, dtype=torch.uint8).view(-1, 1, 1, 1), torch.tensor(labels))


def test_the_statistics_are_those_of_the_training_images():
    some = Data("some", grey([0, 255, 255, 0], [0, 1, 0, 1]), grey([7], [0]), 2)
    assert some.statistics == ((0.5,), (0.5,))
    assert Data("flat", grey([51, 51], [0, 1]), grey([7], [0]), 2).statistics == ((0.2,), (1.0,))


def test_the_digest_is_of_images_and_labels():
    cases = (([1, 2], [0, 1]), ([1, 2], [1, 0]), ([2, 1], [0, 1]))
    digests = {Data("a", grey(images, labels), grey([1], [0]), 2).digest for images, labels in cases}
    assert len(digests) == 3


@pytest.mark.parametrize(
    ("train", "test", "fault"),
    [
        (grey([], []), grey([1], [0]), "there are no training images"),
        (grey([1], [0]), grey([], []), "there are no test images"),
        (grey([1, 2], [0]), grey([1], [0]), "2 training images have 1 labels"),
        (grey([1], [-1]), grey([1], [0]), "the training labels are from -1 to -1"),
    ],
)
def test_data_of_python_are_checked_too(train, test, fault):
    with pytest.raises(ArchspecError, match=fault):
        Data("mine", train, test, 2).checked()


def test_data_that_do_not_fit_into_memory_are_refused(monkeypatch):
    monkeypatch.setattr(split, "MAX_BYTES", 10**6)
    with pytest.raises(ArchspecError, match="held in memory and takes at most 1,000,000: choose a smaller side"):
        load("digits", (1, 64, 64), 10)
    assert data.KINDS == ("digits", "mnist", "cifar10", "image-folder")
