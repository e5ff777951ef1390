"""`harness info`: versions and hardware, for bug reports."""

from __future__ import annotations

import platform
import re
from contextlib import suppress

import click

from harness.commands.output import json_option, print_json

DEVELOPMENT = re.compile('extra == "(dev|docs)"')


@click.command()
@json_option
def info(as_json: bool) -> None:
    """Print versions and hardware for a bug report.

    Host and user names are left out.
    """
    facts = _facts()
    if as_json:
        print_json(facts)
        return
    width = max(map(len, facts))
    for name, value in facts.items():
        print(f"{name:{width}}  {value}")


def _facts() -> dict[str, str]:
    import psutil

    from harness import __version__
    from harness.machine import cores

    gibibytes = psutil.virtual_memory().total / 2**30
    return {
        "harness": __version__,
        "python": f"{platform.python_version()} ({platform.python_implementation()})",
        "platform": platform.platform(),
        "CPUs": f"{cores()}",
        "memory": f"{gibibytes:.1f} GiB",
        "GPUs": _gpus(),
        **_versions(),
    }


def _versions() -> dict[str, str]:
    """Return the versions of the packages that this one and its extras for users require."""
    from importlib.metadata import PackageNotFoundError, requires, version

    try:
        required = requires("offline-rl-harness") or []
    except PackageNotFoundError:  # a source folder that is not installed
        required = ["torch", "ray", "gymnasium", "mujoco", "numpy"]
    names = [re.split(r"[^\w.-]", each)[0] for each in required if not DEVELOPMENT.search(each)]
    found = dict.fromkeys(names, "not installed")
    for name in names:
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    return found


def _gpus() -> str:
    """Describe the GPUs that torch can use."""
    try:
        import torch
    except (ImportError, OSError) as error:  # the bug report may be about a broken installation
        return f"unknown, torch cannot be imported ({error})"
    names = [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())]
    toolkit = f"for CUDA {torch.version.cuda}" if torch.version.cuda else "without CUDA"
    return f"{', '.join(names) or 'none'} (torch is built {toolkit})"
