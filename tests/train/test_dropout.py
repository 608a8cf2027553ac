"""Dropout from random bits is torch's, with other random numbers."""

import copy

import pytest
import torch
from torch import nn

from archspec.train.dropout import draw_bits, kept


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("p", [0.001, 0.2, 0.5, 0.9])
def test_each_value_is_dropped_with_its_probability_and_the_rest_keep_the_mean(p, dtype):
    torch.manual_seed(0)
    mask = kept(torch.zeros(501, 401, dtype=dtype), p)  # an odd number of values: half a word is left over
    assert mask.dtype == dtype
    assert set(mask.unique().tolist()) == {0.0, torch.tensor(1 / (1 - p)).to(dtype).item()}
    count = mask.numel()
    dropped = int((mask == 0).sum())
    assert abs(dropped - count * p) < 5 * (count * p * (1 - p)) ** 0.5
    halves = mask.flatten()[: count - 1].view(-1, 2) == 0  # the two of a word do not know of one another
    both = int(halves.all(1).sum())
    assert abs(both - count / 2 * p**2) < 5 * (count / 2 * p**2) ** 0.5 + 1


def test_nothing_and_everything():
    x = torch.randn(3, 5)
    assert not kept(x, 1).any()
    layer = nn.Dropout(0.0)
    draw_bits(layer)
    assert layer(x) is x
    assert kept(torch.empty(0, 7), 0.5).shape == (0, 7)


def test_the_gradient_is_the_mask_and_the_seed_says_which():
    model = nn.Sequential(nn.Dropout(0.25))
    draw_bits(model)
    x = torch.ones(64, 64, requires_grad=True)
    torch.manual_seed(3)
    first = model(x)
    first.sum().backward()
    assert torch.equal(x.grad, first.detach())
    torch.manual_seed(3)
    assert torch.equal(model(x), first)
    assert not torch.equal(model(x), first)
    assert torch.equal(model.eval()(x), x)


def test_a_copy_has_its_own_rate_and_other_layers_stay_as_they_are():
    model = nn.Sequential(nn.Dropout(0.5), nn.Dropout2d(0.5), nn.Dropout(0.5, inplace=True))
    draw_bits(model)
    assert ["forward" in vars(layer) for layer in model] == [True, False, False]
    other = copy.deepcopy(model)
    other[0].p = 0.0  # as pruning lowers it
    x = torch.ones(9, 9)
    assert torch.equal(other[0](x), x)
    assert not torch.equal(model[0](x), x)
