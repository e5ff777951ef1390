"""All uses of Ray beyond its public interface; no other module imports private parts of Ray."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any


def local_options(folder: Path) -> dict[str, Any]:
    """Return the arguments of `ray.init` that keep its files in a folder and its ports on this machine.

    Their names begin with an underscore, though its documentation lists them. The variable RAY_TMPDIR would
    also hold for everything else that this process starts.
    """
    return {"_node_ip_address": "127.0.0.1", "_temp_dir": str(folder)}


def cluster_can_grow() -> bool:
    """Return whether an autoscaler may add machines of further kinds to the connected cluster.

    Ray offers no other way to tell a trial that waits for such a machine from one that no machine can hold.
    It reports on clusters without an autoscaler too; there every machine is a kind, named after its id.
    """
    import ray
    from ray.autoscaler.v2.utils import is_autoscaler_v2
    from ray.experimental.internal_kv import _internal_kv_get

    if is_autoscaler_v2() or _internal_kv_get("__autoscaling_error") is not None:
        return True
    status = json.loads(_internal_kv_get("__autoscaling_status") or b"{}")
    kinds = (status.get("autoscaler_report") or {}).get("active_nodes") or {}
    return not set(kinds) <= {f"node_{node['NodeID']}" for node in ray.nodes()}  # type: ignore[no-untyped-call]


def count_no_callbacks() -> None:
    """Keep Tune from importing every tracker that is installed, which takes seconds.

    It does so to count the callbacks in use, for statistics that are off; no setting prevents it.
    """
    with suppress(ImportError):
        from ray.air._internal import usage

        usage.tag_callbacks = lambda callbacks: False
