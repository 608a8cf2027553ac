"""Changes of images, and the batches they are made in."""

import math

import pytest
import torch

from archspec.errors import ArchspecError
from archspec.train import data
from archspec.train.batches import COLUMNS, Augment, Batches, Standardisation, generator, resident


def chance(**columns):
    """A row of numbers that change nothing (the middle of each range), but for the columns named."""
    row = torch.full((1, COLUMNS), 0.5)
    for name, value in columns.items():
        row[0, ["flip", "crop_x", "crop_y", "angle", "scale", "shear", "x", "y"].index(name)] = value
    return row


def spot(row, column, size=5):
    image = torch.zeros(1, 1, size, size)
    image[0, 0, row, column] = 1
    return image


def place(image):
    """The row and column of the image's mass."""
    image = image[0, 0]
    at = torch.arange(len(image), dtype=torch.float32)
    return float((image.sum(1) * at).sum() / image.sum()), float((image.sum(0) * at).sum() / image.sum())


@pytest.mark.parametrize(
    ("change", "row", "lands"),
    [
        (Augment(crop=1), chance(), (2, 1)),
        (Augment(crop=1), chance(crop_x=0.0), (2, 2)),
        (Augment(crop=1), chance(crop_y=0.99), (1, 1)),
        (Augment(flip=True), chance(flip=0.4), (2, 3)),
        (Augment(flip=True), chance(flip=0.6), (2, 1)),
        (Augment(translate=1), chance(x=1.0), (2, 0)),
        (Augment(translate=2), chance(y=0.75), (1, 1)),
        (Augment(translate=1), chance(x=0.0), (2, 2)),
        (Augment(rotate=90), chance(angle=1.0), (3, 2)),
        (Augment(rotate=90), chance(angle=0.0), (1, 2)),
        (Augment(rotate=180), chance(angle=1.0), (2, 3)),
        (Augment(scale=0.5), chance(scale=1.0), (2, 0.5)),
        (Augment(shear=45), chance(shear=1.0), (2, 1)),
    ],
)
def test_a_spot_left_of_the_middle_lands_where_the_change_says(change, row, lands):
    assert place(change(spot(2, 1), row)) == pytest.approx(lands, abs=1e-4)


def test_a_slant_moves_what_is_above_and_below_the_middle():
    changed = Augment(shear=45)(spot(1, 2), chance(shear=1.0))
    assert place(changed) == pytest.approx((1, 3), abs=1e-4)


def test_a_turn_keeps_angles_where_height_and_width_differ():
    image = torch.zeros(1, 1, 5, 9)
    image[0, 0, 2, 5] = 1  # one right of the middle
    turned = Augment(rotate=90)(image, chance(angle=1.0))[0, 0]
    assert (turned > 0.99).nonzero().tolist() in ([[1, 4]], [[3, 4]])


def test_nothing_asked_for_changes_nothing():
    image = torch.rand(3, 2, 4, 4)
    assert not Augment()
    assert torch.equal(Augment()(image, torch.rand(3, COLUMNS)), image)


def test_a_scale_of_one_half_grows_and_shrinks_by_the_same_factor():
    ones = torch.ones(1, 1, 32, 32)
    small = Augment(scale=1)(ones, chance(scale=0.0)).sum() / 32**2
    assert float(small) == pytest.approx(1 / 4, rel=0.05)
    assert math.isclose(float(Augment(scale=1)(ones, chance(scale=1.0)).mean()), 1, rel_tol=1e-5)


# ------------------------------------------------------------------ batches


@pytest.fixture(scope="module")
def digits():
    return data.load("digits", (1, 8, 8), 10)


def batches(digits, share=(0, 1), batch=100, seed=0, change=Augment(crop=1, flip=True)):  # noqa: B008
    return Batches(
        digits, batch, change, seed, Standardisation(digits.statistics, torch.device("cpu"), last=False), share
    )


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
def test_an_epoch_shows_each_image_once_but_for_the_last_that_fill_no_batch(digits):
    plain = batches(digits, change=Augment())
    labels = torch.cat([plain(step)[1] for step in range(plain.steps)])
    assert plain.steps == 14
    order = torch.randperm(1437, generator=generator(0, "order", 0))[:1400]
    assert torch.equal(labels, digits.train.labels[order])


def test_processes_see_together_what_one_sees(digits):
    whole = batches(digits)
    shares = [batches(digits, (rank, 4)) for rank in range(4)]
    for step in (0, 13, 14, 40):
        images, labels = whole(step)
        parts = [share(step) for share in shares]
        assert torch.equal(images, torch.cat([part[0] for part in parts]))
        assert torch.equal(labels, torch.cat([part[1] for part in parts]))


def test_a_batch_follows_from_seed_and_step_alone(digits):
    late = batches(digits)(30)[0]
    gone_through = batches(digits)
    for step in range(30):
        gone_through(step)
    assert torch.equal(gone_through(30)[0], late)
    assert not torch.equal(batches(digits, seed=1)(30)[0], late)
    assert not torch.equal(batches(digits)(30 + 14)[0], late)


def test_inputs_have_mean_0_and_deviation_1_over_the_training_images(digits):
    inputs = Standardisation(digits.statistics, torch.device("cpu"), last=True)
    seen = inputs(digits.train.images)
    assert float(seen.mean()) == pytest.approx(0, abs=1e-5)
    assert float(seen.std(correction=0)) == pytest.approx(1, abs=1e-5)
    assert inputs(torch.zeros(2, 1, 4, 4, dtype=torch.uint8)).is_contiguous(memory_format=torch.channels_last)


def test_a_batch_must_be_had_and_shared(digits):
    with pytest.raises(ArchspecError, match="a batch of 1438 is more than the 1437 training images; try --batch 1437"):
        batches(digits, batch=1438)
    with pytest.raises(ArchspecError, match="a batch of 100 cannot be shared by 3 processes; try --batch 99"):
        batches(digits, share=(0, 3))


def test_data_are_kept_on_another_device(digits):
    assert resident(digits.test, torch.device("cpu")) is digits.test
    assert resident(digits.test, torch.device("meta")).images.device.type == "meta"
