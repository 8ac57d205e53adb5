"""``sluicegate import``, as it is typed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from proxy.cli import main

_GOOD = "model_list: [{model_name: a, litellm_params: {model: openai/gpt-4o, api_key: os.environ/KEY}}]\n"
_LOSES = _GOOD + "litellm_settings: {cache: true, nonsense: 1}\n"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A file to read."""
    path = tmp_path / "config.yaml"
    path.write_text(_GOOD)
    return path


def test_everything_is_carried(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["import", "litellm", str(config)]) == 0
    out, err = capsys.readouterr()
    assert "target: openai/gpt-4o" in out
    assert "3 carried, 0 needless, 0 not carried" in err
    assert "needs in the environment: KEY" in err


def test_what_is_lost_is_named_with_its_place_and_the_file_is_written(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config.write_text(_LOSES)
    written = tmp_path / "gateway.yaml"
    assert main(["import", "litellm", str(config), "--output", str(written)]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert f"{config}:2:20 litellm_settings.cache: " in err
    assert f"{config}:2:33 litellm_settings.nonsense: this is unknown to the importer" in err
    assert "2 not carried" in err
    assert "target: openai/gpt-4o" in written.read_text()


def test_a_file_that_is_there_stays(config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    written = tmp_path / "gateway.yaml"
    written.write_text("mine")
    assert main(["import", "litellm", str(config), "--output", str(written)]) == 2
    assert written.read_text() == "mine"
    assert "--force" in capsys.readouterr().err
    assert main(["import", "litellm", str(config), "--output", str(written), "--force"]) == 0
    assert "target" in written.read_text()


@pytest.mark.parametrize("text", ["a: [", "", "general_settings: {}\n"])
def test_a_bad_file_gives_none(config: Path, text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config.write_text(text)
    written = tmp_path / "gateway.yaml"
    assert main(["import", "litellm", str(config), "--output", str(written)]) == 2
    assert not written.exists()
    assert str(config) in capsys.readouterr().err


def test_a_file_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["import", "litellm", str(tmp_path / "none.yaml")]) == 2
    assert "No such file" in capsys.readouterr().err


def test_for_machines(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config.write_text(_LOSES)
    assert main(["import", "litellm", str(config), "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert (found["ok"], found["routes"], found["variables"]) == (False, 1, ["KEY"])
    lost = [one["path"] for one in found["findings"] if one["outcome"] == "not carried"]
    assert lost == ["litellm_settings.cache", "litellm_settings.nonsense"]
