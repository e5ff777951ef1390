import signal
import sys

import pytest

from harness.tuning.signals import InterruptedRunError, Signals, raise_on_signal


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_raise_on_signal_before_the_trials_ends_with_its_status(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    with pytest.raises(InterruptedRunError) as caught, raise_on_signal():
        signal.raise_signal(number)
    assert caught.value.status == 128 + number
    assert signal.getsignal(number) is before


def test_raise_on_signal_recognises_the_exit_of_ray_on_sigterm() -> None:
    with pytest.raises(InterruptedRunError) as caught, raise_on_signal():
        sys.exit(signal.SIGTERM)
    assert caught.value.status == 143


def test_raise_on_signal_passes_other_exits_on() -> None:
    with pytest.raises(SystemExit, match="an environment's own"), raise_on_signal():
        sys.exit("an environment's own")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signals_during_the_trials_are_raised_at_a_safe_point(number: signal.Signals) -> None:
    with raise_on_signal(), Signals.caught() as signals:
        signals.raise_if_received()
        signal.raise_signal(number)
        with pytest.raises(InterruptedRunError) as caught:
            signals.raise_if_received()
    assert caught.value.status == 128 + number


def test_signals_ignored_by_nohup_stay_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with raise_on_signal(), Signals.caught() as signals:
            signal.raise_signal(signal.SIGHUP)
            signals.raise_if_received()
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)
