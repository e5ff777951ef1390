import json

import pytest

from harness.bench import results
from harness.bench.measuring import Measurement
from harness.errors import HarnessError

MEASUREMENTS = [
    Measurement("gradient steps", "bc fp32", "steps/s", 200.0, 100.0, 2.0, {"fraction of peak": 0.8}),
    Measurement("gradient steps", "bc fp32 x 4 seeds", "seed-steps/s", 800.0),
]


def test_show_prints_and_writes_each_measurement(tmp_path, capsys):
    assert results.show(iter(MEASUREMENTS), tmp_path / "new" / "bench") == 0
    record = json.loads((tmp_path / "new" / "bench" / "bench.json").read_text())
    assert [line["case"] for line in record["measurements"]] == ["bc fp32", "bc fp32 x 4 seeds"]
    assert record["measurements"][0]["details"] == {"fraction of peak": 0.8}
    assert "host" not in record["machine"]
    assert record["versions"]["torch"]
    assert (tmp_path / "new" / "bench" / "bench.png").read_bytes().startswith(b"\x89PNG")
    assert "textbook form 100; ratio 2.00" in capsys.readouterr().out


def test_show_without_comparisons_writes_no_figure(tmp_path):
    results.write(MEASUREMENTS[1:], tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["bench.json"]


def test_show_with_an_unwritable_directory_raises_before_measuring(tmp_path):
    (tmp_path / "file").write_text("")
    measurements = iter(MEASUREMENTS)
    with pytest.raises(HarnessError, match="file: cannot be written"):
        results.show(measurements, tmp_path / "file")
    assert next(measurements) is MEASUREMENTS[0]
