import json

from benchmarks.machine import machine


def test_machine_names_what_times_depend_on() -> None:
    found = json.loads(json.dumps(machine(threads=1)))
    assert found["cpu"]
    assert found["threads"] == 1
    assert found["versions"]["torch"][0].isdigit()
    assert {"allocator", "bf16_instructions", "cores_allowed", "load_average"} <= found.keys()
