import pytest

from olvdm.cli import main


@pytest.mark.parametrize(
    "name",
    ["python", "torch", "torchvision guard", "bf16 instructions", "temporary folder", "GPU"],
)
def test_doctor_names_what_a_failure_may_come_from(capsys, name) -> None:
    assert main(["doctor"]) == 0
    assert any(line.startswith(f"{name}  ") for line in capsys.readouterr().out.splitlines())


def test_damaged_checkpoint_is_named(tmp_path, monkeypatch, capsys) -> None:
    (tmp_path / "checkpoints" / "olvdm").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    assert main(["doctor"]) == 0
    assert "give a whole checkpoint folder" in capsys.readouterr().out
