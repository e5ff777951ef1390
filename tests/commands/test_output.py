import json
import math

from harness.commands.output import print_json


def test_print_json_with_numbers_that_are_not_finite_is_valid(capsys):
    print_json({"each": [{"score": math.nan, "steps": (1, 2.5)}, None], "most": -math.inf})

    def reject(constant):
        raise AssertionError(constant)

    found = json.loads(capsys.readouterr().out, parse_constant=reject)
    assert found == {"each": [{"score": "nan", "steps": [1, 2.5]}, None], "most": "-inf"}
