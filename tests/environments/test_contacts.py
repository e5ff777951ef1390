import mujoco
import numpy as np
import pytest

from harness.environments.contacts import restore_margins

BALL_NEAR_A_FLOOR = """
<mujoco>
  <worldbody>
    <geom type="plane" size="1 1 1" margin="{floor}"/>
    <geom size="0.1" pos="0 0 5" margin="0.3" contype="0" conaffinity="0"/>
    <body pos="0 0 0.115"><freejoint/><geom size="0.1" margin="{ball}"/></body>
  </worldbody>
</mujoco>
"""


@pytest.mark.parametrize(("ball", "floor"), [(0.01, 0.01), (0.01, 0.0)])
def test_restore_margins_gives_contacts_the_larger_margin(ball, floor):
    model = mujoco.MjModel.from_xml_string(BALL_NEAR_A_FLOOR.format(ball=ball, floor=floor))
    restore_margins(model)
    data = mujoco.MjData(model)
    mujoco.mj_forward(model, data)
    assert data.ncon == 0  # 0.015 apart
    data.qpos[2] = 0.109
    mujoco.mj_forward(model, data)
    assert data.ncon == 1
    assert np.isclose(data.contact[0].includemargin, 0.01)
    assert model.geom_margin[1] == 0.3
