"""All uses of Ray's private interfaces; no other module imports them."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any


def local_options(folder: Path) -> dict[str, Any]:
    """Return the arguments of `ray.init` that keep its files in a folder and its ports on this machine.

    Their names begin with an underscore, although they are documented. The variable RAY_TMPDIR would also
    affect everything else that this process starts.
    """
    return {"_node_ip_address": "127.0.0.1", "_temp_dir": str(folder)}


def cluster_can_grow() -> bool:
    """Return whether an autoscaler may add machines of other types to the connected cluster.

    Ray has no public way to distinguish a trial that waits for such a machine from one that can never fit.
    Clusters without an autoscaler have a report too, in which each machine is a type named after its id.
    """
    import ray
    from ray.autoscaler.v2.utils import is_autoscaler_v2
    from ray.experimental.internal_kv import _internal_kv_get

    if is_autoscaler_v2() or _internal_kv_get("__autoscaling_error") is not None:
        return True
    status = json.loads(_internal_kv_get("__autoscaling_status") or b"{}")
    kinds = (status.get("autoscaler_report") or {}).get("active_nodes") or {}
    return not set(kinds) <= {f"node_{node['NodeID']}" for node in ray.nodes()}  # type: ignore[no-untyped-call]


def skip_callback_statistics() -> None:
    """Keep Tune from importing every tracker that is installed, which takes seconds.

    It imports them to count the callbacks in use, even though usage statistics are disabled.
    """
    with suppress(ImportError):
        from ray.air._internal import usage

        usage.tag_callbacks = lambda callbacks: False
