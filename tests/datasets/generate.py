"""Small files in D4RL's layout, with every oddity that such files have."""

import h5py
import numpy as np


def random_steps(
    generator,
    rows=200,
    observation_size=5,
    action_size=2,
    limit=20,
    timeouts=True,
    terminal_rate=0.05,
    terminal_at=None,
    cut_last=False,
    terminal_last=False,
    both=False,
    dtype=np.float32,
    flags=np.bool_,
    column=False,
    next_observations=False,
):
    """Steps whose episodes end by a terminal, now and then, or after `limit` steps."""
    terminals, cuts = np.zeros(rows, bool), np.zeros(rows, bool)
    since = 0
    for row in range(rows):
        since += 1
        at = {"limit": limit, "limit - 1": limit - 1}.get(terminal_at)
        if generator.random() < (terminal_rate if at is None else 0.5 * (since == at)):
            terminals[row] = True
            cuts[row] = both
        elif since == limit:
            cuts[row] = True
        if terminals[row] or cuts[row]:
            since = 0
    terminals[-1], cuts[-1] = terminal_last, not (cut_last or terminal_last)
    values = {
        "observations": generator.normal(size=(rows, observation_size)).astype(dtype),
        "actions": generator.uniform(-1, 1, (rows, action_size)).astype(dtype),
        "rewards": generator.normal(size=rows).astype(dtype),
        "terminals": terminals.astype(flags),
    }
    values["rewards"][::7] = -0.0
    if timeouts:
        values["timeouts"] = cuts.astype(flags)
    if column:
        values["rewards"] = values["rewards"][:, None]
        values["terminals"] = values["terminals"][:, None]
    if next_observations:
        following = np.roll(values["observations"], -1, axis=0)
        ends = terminals | cuts
        following[ends] = generator.normal(size=(int(ends.sum()), observation_size))
        values["next_observations"] = following
    return values


def write_raw(path, values, **options):
    with h5py.File(path, "w") as file:
        for key, array in values.items():
            file.create_dataset(key, data=array, **(options if np.ndim(array) else {}))
