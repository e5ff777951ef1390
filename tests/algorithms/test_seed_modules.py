import pytest
import torch
from torch import nn

from harness.algorithms.modules import MLP, Ensemble, GaussianActor, Scalar
from harness.algorithms.seed_modules import SeparateModules, StackedModules


class Shifted(Ensemble):
    """An ensemble with more than its members, as for a random prior."""

    def __init__(self, count, *sizes):
        super().__init__(count, *sizes)
        self.shift = nn.Parameter(torch.randn(()))

    def forward(self, *inputs):
        return super().forward(*inputs) + self.shift


class Heads(nn.Linear):
    def forward(self, inputs):
        hidden = super().forward(inputs)
        return {"value": hidden.sum(-1), "hidden": hidden}


BUILDERS = {
    "mlp": lambda: MLP(3, 8, 2),
    "ensemble": lambda: Ensemble(3, 3, 8, 1),
    "shifted ensemble": lambda: Shifted(2, 3, 8, 1),
    "wide ensemble": lambda: Ensemble(2, 3, 8, 4, layer_norm="before"),
    "torch": lambda: nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 2)),
}


def both(build, count=2):
    """The same modules called one by one and as one operation."""
    torch.manual_seed(0)
    modules = [build() for _ in range(count)]
    return SeparateModules(modules), StackedModules(modules)


@pytest.mark.parametrize("kind", BUILDERS)
@pytest.mark.parametrize("count", [1, 3])
def test_stacked_modules_give_what_separate_ones_give(kind, count):
    separate, stacked = both(BUILDERS[kind], count)
    inputs = torch.randn(count, 5, 3)
    outputs = separate(inputs)
    torch.testing.assert_close(stacked(inputs), outputs)
    gradients = [
        torch.autograd.grad(each(inputs).square().sum(), each.parameters()) for each in (separate, stacked)
    ]
    for index in range(count):
        own, other = (
            each.views_of(values, index) for each, values in zip((separate, stacked), gradients, strict=True)
        )
        assert own.keys() == other.keys() == separate.named_tensors(index).keys()
        for name in own:
            torch.testing.assert_close(own[name], other[name])


def test_member_of_an_ensemble_is_its_column():
    for modules in both(BUILDERS["ensemble"]):
        inputs = torch.randn(2, 5, 3)
        torch.testing.assert_close(modules[1](inputs), modules(inputs)[..., 1])
    for modules in both(BUILDERS["mlp"]):
        with pytest.raises(TypeError, match="MLP has no members"):
            modules[0]


@pytest.mark.parametrize("kind", ["ensemble", "wide ensemble"])
def test_members_on_inputs_of_their_own_give_what_each_gives_alone(kind):
    for modules in both(BUILDERS[kind]):
        count = len(BUILDERS[kind]().members)
        inputs = torch.randn(2, count, 5, 3)
        outputs = modules.members(inputs)
        for member in range(count):
            torch.testing.assert_close(outputs[:, :, member], modules[member](inputs[:, member]))


def test_networks_with_several_outputs_or_no_input_have_the_seeds_in_front():
    for modules in both(lambda: GaussianActor(3, 8, 2, max_action=1.0)):
        mean, log_std = modules(torch.randn(2, 5, 3))
        assert (mean.shape, log_std.shape) == ((2, 5, 2), (2, 5, 2))
    for modules in both(lambda: Scalar(0.5)):
        assert modules().tolist() == [0.5, 0.5]
    for count in (1, 2):
        for modules in both(lambda: Heads(3, 8), count):
            outputs = modules(torch.randn(count, 5, 3))
            assert {name: output.shape for name, output in outputs.items()} == {
                "value": (count, 5),
                "hidden": (count, 5, 8),
            }


def test_inputs_with_further_dimensions_are_mapped_row_by_row():
    for modules in both(BUILDERS["ensemble"]):
        inputs = torch.randn(2, 5, 4, 3)
        torch.testing.assert_close(modules(inputs)[:, :, 1], modules(inputs[:, :, 1].contiguous()))


def test_module_of_a_seed_has_its_current_parameters():
    for modules in both(BUILDERS["ensemble"]):
        with torch.no_grad():
            modules.named_tensors(1)["members.2.0.bias"].fill_(7.0)
        assert (modules.module(1).members[2][0].bias == 7).all()


def test_frozen_copy_does_not_follow():
    for modules in both(BUILDERS["mlp"]):
        copied = modules.frozen_copy()
        inputs = torch.randn(2, 5, 3)
        before = copied(inputs)
        with torch.no_grad():
            for parameter in modules.parameters():
                parameter.add_(1)
        assert torch.equal(copied(inputs), before)
        assert copied.parameters() == []
        assert not before.requires_grad
