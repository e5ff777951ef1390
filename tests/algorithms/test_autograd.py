import re
import signal
import sys

import pytest
import torch
from torch import nn

from harness.algorithms import AutogradLearner, Hyperparameters
from harness.algorithms.modules import MLP, Ensemble, Scalar
from harness.errors import HarnessError
from tests.algorithms.make import (
    ACTIONS,
    STATES,
    assert_equal_states,
    training_data,
)


class Settings(Hyperparameters):
    batch_size: int = 8
    hidden_sizes: tuple[int, ...] = (8,)
    tau: float = 0.1


class Small(AutogradLearner[Settings]):
    """A policy, two critics with targets, and a learnable scalar: every kind of state that there is."""

    targets = ("critics",)

    def networks(self, observation_size, action_size):
        hidden = self.hyperparameters.hidden_sizes
        return {
            "actor": MLP(observation_size, *hidden, action_size),
            "critics": Ensemble(2, observation_size + action_size, *hidden, 1),
            "temperature": Scalar(0.5),
        }

    def update(self, batch):
        count = self.register_tensor("count", torch.zeros(len(batch.reward)))
        count.add_(1)
        noise = self.normal("noise", *batch.action.shape[1:])
        with torch.no_grad():
            target = self.target.critics(torch.cat([batch.next_state, batch.action + noise], -1)).amin(-1)
        loss = (self.critics(batch.state_action) - target.unsqueeze(-1)).square().mean(-1)
        self.minimize("critics", loss, learning_rate=self.cosine(1e-3), weight_decay=0.1)
        if self.every(2):
            action = self.actor(batch.state)
            q = self.critics[0](torch.cat([batch.state, action], -1))
            self.minimize(
                ("actor", "temperature"),
                self.temperature().exp() * (action.square().mean((1, 2)) - q.mean(1)),
            )
        self.polyak("critics", self.hyperparameters.tau)
        return {"loss": loss.mean(1), "count": count}


def learner(kind=Small, seeds=(0,), stacked=None, **settings):
    return kind(Settings(**settings), training_data(), seeds, stacked=stacked)


def with_update(update, **attributes):
    return learner(type("Changed", (Small,), {"update": update, **attributes}))


def test_state_holds_everything_that_a_learner_holds():
    names = set(learner().state_dict(0))
    for network, tensors in (
        ("actor", ("0.weight", "0.bias", "2.weight", "2.bias")),
        ("critics", ("members.0.0.weight", "members.1.2.bias")),
        ("temperature", ("value",)),
    ):
        for group in (network, f"{network}.first_moment", f"{network}.second_moment"):
            assert {f"{group}.{tensor}" for tensor in tensors} <= names
        assert f"{network}.updates" in names
    assert "target.critics.members.1.2.weight" in names
    assert "target.actor.0.weight" not in names


@pytest.mark.parametrize("stacked", [False, True])
def test_everything_is_restored_bit_for_bit(stacked):
    whole, first = (learner(seeds=(3, 4), stacked=stacked) for _ in range(2))
    whole.train(30)
    first.train(13)
    second = learner(seeds=(3, 4), stacked=stacked)
    for index in range(2):
        second.load_state_dict(index, first.state_dict(index))
    second.train(17)
    for index in range(2):
        assert_equal_states(whole.state_dict(index), second.state_dict(index))
    assert second.metrics() == whole.metrics()
    assert second.metrics()[0]["count"] == 30


def test_state_of_a_stacked_learner_continues_in_one_that_is_not():
    stacked, separate = learner(seeds=(3, 4), stacked=True), learner(seeds=(4,))
    stacked.train(10)
    separate.load_state_dict(0, stacked.state_dict(1))
    assert_equal_states(separate.state_dict(0), stacked.state_dict(1))


def test_step_and_cosine_follow_the_gradient_steps():
    seen = []

    def update(self, batch):
        seen.append((self.step, self.every(3), self.during_first(4), float(self.cosine(2.0))))
        return Small.update(self, batch)

    with_update(update).train(10)
    assert [step for step, *_ in seen] == list(range(10))
    assert [number for number, (_, every, _, _) in enumerate(seen, 1) if every] == [3, 6, 9]
    assert [number for number, (_, _, first, _) in enumerate(seen, 1) if first] == [1, 2, 3, 4]
    expected = 2.0 * 0.5 * (1 + torch.cos(torch.pi * torch.arange(10) / 1000))
    torch.testing.assert_close(torch.tensor([value for *_, value in seen]), expected)


def test_noise_depends_on_seed_name_and_step_alone():
    drawn = {}

    def update(self, batch):
        drawn[self.step] = (
            self.normal("a", 4, 2),
            self.normal("b", 4, 2),
            self.uniform("c", 3),
            self.normal("d"),
        )
        again = self.normal("a", 4, 2)
        assert torch.equal(again, drawn[self.step][0])
        return {}

    with_update(update).train(20)
    (a, b, c, d), late = drawn[0], drawn[19]
    assert (a.shape, c.shape, d.shape) == ((1, 4, 2), (1, 3), (1,))
    assert not torch.equal(a, b)
    assert (c >= 0).all()
    assert (c < 1).all()
    alone = with_update(update)
    alone.train(19)
    drawn.clear()
    alone.train(1)
    assert torch.equal(drawn[19][0], late[0])


def test_minimize_lets_several_networks_follow_one_loss():
    small = learner()
    before = small.state_dict(0)
    small.train(2)
    after = small.state_dict(0)
    assert not torch.equal(before["temperature.value"], after["temperature.value"])
    assert not torch.equal(before["actor.0.weight"], after["actor.0.weight"])


@pytest.mark.parametrize("stacked", [False, True])
def test_gradients_of_each_seed_are_clipped_together(stacked):
    clipped = learner(seeds=(0, 1), stacked=stacked, gradient_norm_clip=1e-3)
    clipped.train(1)
    for index in range(2):
        moments = [
            value
            for name, value in clipped.state_dict(index).items()
            if name.startswith("critics.first_moment")
        ]
        norm = torch.cat([moment.flatten() for moment in moments]).norm() / 0.1  # the moments' 1 - beta
        assert norm.item() == pytest.approx(1e-3, rel=1e-3)


@pytest.mark.parametrize("stacked", [False, True])
def test_weight_decay_is_that_of_adamw(stacked):
    def update(self, batch):
        loss = self.temperature().square()
        self.minimize("temperature", loss, learning_rate=1e-2, weight_decay=0.5)
        return {"loss": loss}

    several = learner(type("Decaying", (Small,), {"update": update}), seeds=(3, 4), stacked=stacked)
    value = several.state_dict(1)["temperature.value"].requires_grad_()
    optimizer = torch.optim.AdamW([value], lr=1e-2, weight_decay=0.5)
    for _ in range(5):
        optimizer.zero_grad()
        value.square().sum().backward()
        optimizer.step()
    several.train(5)
    torch.testing.assert_close(several.state_dict(1)["temperature.value"], value.detach())


def loss_of_shape(*shape):
    return lambda self, batch: (
        self.minimize("actor", self.actor(batch.state).sum() * torch.ones(*shape)) or {}
    )


@pytest.mark.parametrize(
    ("update", "message"),
    [
        (
            loss_of_shape(3, 8),
            r"the loss of actor must have shape \[1, n\] or \[1\] \(M = 1 seeds first\), got \[3, 8\]",
        ),
        (loss_of_shape(1, 8, 2), r"got \[1, 8, 2\]"),
        (lambda self, batch: self.minimize("actor", 1.0), "got float"),
        (
            lambda self, batch: self.minimize("actor", self.critics(batch.state_action).mean((1, 2))),
            "the loss of actor does not depend on the network actor",
        ),
        (
            lambda self, batch: self.minimize("actor", self.actor(batch.state).detach().mean((1, 2))),
            "the loss of actor does not depend on any network",
        ),
        (
            lambda self, batch: self.minimize("policy", self.actor(batch.state).mean((1, 2))),
            r"has no network 'policy'; name one of .*: 'actor', 'critics', 'temperature'",
        ),
        (
            lambda self, batch: self.polyak("actor", 0.1),
            "unknown target network 'actor'; add it to the `targets` of the algorithm",
        ),
        (
            lambda self, batch: self.minimize(self.actor, self.actor(batch.state).mean((1, 2))),
            "has no network of type SeparateModules; name one of those",
        ),
        (lambda self, batch: self.polyak(self.critics, 0.1), "has no network of type SeparateModules"),
        (lambda self, batch: self.polyak("critics", 5), "tau of .* critics must be between 0 and 1, got 5"),
        (
            lambda self, batch: self.target.critic(batch.state),
            "unknown target network 'critic'",
        ),
        (
            lambda self, batch: self.normal("noise", 3).sum() + self.normal("noise", 4).sum(),
            "random numbers 'noise' were drawn before with another shape or distribution",
        ),
        (lambda self, batch: self.normal("noise", 3) + self.uniform("noise", 3), "'noise' were drawn before"),
        (lambda self, batch: {"seed": batch.reward[:, 0]}, "metric 'seed' is another column of results"),
        (lambda self, batch: None, "must return a dictionary of metrics, got NoneType"),
        (
            lambda self, batch: {"loss": 1.0},
            r"'loss' must be a tensor of shape \[M\] = \[1\], got float",
        ),
        (lambda self, batch: {"loss": batch.reward}, r"metric 'loss' must be .* got \[1, 8\]"),
        (lambda self, batch: 1 / 0, r"test_autograd.py:\d+: ZeroDivisionError: division by zero"),
        (lambda self, batch: sys.exit(3), r"test_autograd.py:\d+: SystemExit: 3"),
        (
            lambda self, batch: batch.next_action,
            "batches have no next_action; add 'next_action' to the `fields` of the algorithm",
        ),
        (lambda self, batch: self.value(batch.state), "has no attribute and no network 'value'"),
        (
            lambda self, batch: setattr(self, "average", batch.reward.mean()),
            "Changed.average: an attribute of type Tensor would be lost when training resumes",
        ),
        (
            lambda self, batch: self.register_tensor("x", torch.zeros(3)),
            r"x must have shape \[M, ...\] with M = 1, got \[3\]",
        ),
    ],
)
def test_mistake_in_an_update_gets_one_line_with_its_place(update, message):
    with pytest.raises(HarnessError, match=message) as caught:
        with_update(update).train(1)
    assert re.match(r".*test_autograd.py:\d+: |Changed.update", str(caught.value))
    assert "\n" not in str(caught.value)


def test_networks_that_are_not_modules_are_rejected():
    with pytest.raises(HarnessError, match=r"Changed.networks must return a dictionary of torch modules"):
        with_update(Small.update, networks=lambda self, states, actions: [nn.Linear(states, actions)])


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("policy", r"Changed.networks: 'policy' is taken: self.policy is another attribute of a learner"),
        ("update", "'update' is taken"),
        ("target", "'target' is taken"),
        ("max_action", "'max_action' is taken"),
        ("losses", "'losses' is taken"),
    ],
)
def test_network_that_self_could_not_call_is_rejected(name, message):
    changes = {"losses": lambda self: None, "targets": ()}
    with pytest.raises(HarnessError, match=message):
        with_update(Small.update, networks=lambda self, states, _: {name: nn.Linear(states, 1)}, **changes)


@pytest.mark.parametrize(
    "use",
    [
        lambda self: self.register_tensor("count", torch.zeros(1)),
        lambda self: self.normal("noise", 2),
        lambda self: self.every(2),
        lambda self: self.target.critics,
        lambda self: self.minimize("actor", torch.zeros(1)),
    ],
)
def test_methods_for_update_are_rejected_in_networks(use):
    message = r"test_autograd.py:\d+: networks\(\) builds the modules of one seed: register tensors"
    with pytest.raises(HarnessError, match=message):
        with_update(Small.update, networks=lambda self, states, actions: use(self))


def test_registered_tensor_can_be_created_for_the_seeds_of_a_learner():
    def update(self, batch):
        count = self.register_tensor("count", torch.zeros(self.seed_count))
        count.add_(1)
        return {"count": count}

    several = learner(type("Counting", (Small,), {"update": update}), seeds=(3, 4))
    several.train(5)
    assert several.metrics() == [{"count": 5.0}] * 2


@pytest.mark.parametrize("attribute", ["fields", "targets"])
def test_text_in_place_of_a_tuple_of_names_is_rejected(attribute):
    message = rf"Changed.{attribute} must be a tuple of names, not the text 'action'.*: \('action',\)"
    with pytest.raises(HarnessError, match=message):
        type("Changed", (Small,), {attribute: ("action")})


def test_policy_can_be_a_module_of_its_own():
    module = nn.Linear(STATES, ACTIONS)
    policy = with_update(Small.update, policy_module=lambda self: module).policy(0)
    assert policy(torch.zeros(2, STATES).numpy()).shape == (2, ACTIONS)


def test_policy_module_that_would_act_for_several_seeds_is_rejected():
    several = learner(type("Combined", (Small,), {"policy_module": lambda self: nn.Identity()}), (0, 1))
    with pytest.raises(HarnessError, match="would act for all 2 seeds; return the name of a network, or set"):
        several.policy(1)


def test_exit_by_the_handler_of_a_signal_is_no_mistake_in_an_update():
    before = signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(number))
    try:
        with pytest.raises(SystemExit):
            with_update(lambda self, batch: signal.raise_signal(signal.SIGTERM)).train(1)
    finally:
        signal.signal(signal.SIGTERM, before)


def test_networks_that_share_a_module_are_rejected():
    def networks(self, states, actions):
        trunk = nn.Linear(states, states)
        return {"actor": nn.Sequential(trunk, nn.Linear(states, actions)), "value": nn.Sequential(trunk)}

    message = r"Changed.networks: actor.0.weight and value.0.weight are the same tensor; return a shared"
    with pytest.raises(HarnessError, match=message):
        with_update(Small.update, networks=networks, targets=())


def test_policy_of_a_torch_module_is_a_copy_that_leaves_training_as_it_was():
    class Cloning(AutogradLearner[Settings]):
        def networks(self, states, actions):
            return {"actor": nn.Sequential(nn.Linear(states, 8), nn.ELU(), nn.Linear(8, actions))}

        def update(self, batch):
            assert self.actor.module(0).training
            self.minimize("actor", (self.actor(batch.state) - batch.action).square().mean((1, 2)))
            return {}

    cloning, states = learner(Cloning), torch.ones(2, STATES).numpy()
    policy = cloning.policy(0)
    before = policy(states)
    cloning.train(3)
    assert (policy(states) == before).all()
    assert not (cloning.policy(0)(states) == before).any()


def test_policy_module_that_names_no_network_is_rejected():
    unnamed = with_update(Small.update, policy_module=lambda self: "pi")
    message = (
        r"Changed.policy_module returns 'pi', which is not one of the networks 'actor', 'critics', 'temp"
    )
    with pytest.raises(HarnessError, match=message):
        unnamed.policy(0)
