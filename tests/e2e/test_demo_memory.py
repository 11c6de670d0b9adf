"""What the demo's directory remembers, and what becomes of a first start that did not come to its end."""

from pathlib import Path

import pytest

from tools.demo.memory import InUseError, Memory


def test_what_was_noted_is_known_at_the_next_start(tmp_path: Path) -> None:
    with Memory(tmp_path) as memory:
        memory.notes.furnished = True
        memory.notes.meters = [("127.0.0.1", 1883), ("127.0.0.1", 40_001)]
        memory.notes.past = {"sensor.energy": 4.5}
        memory.save()
        noted = memory.notes
    with Memory(tmp_path) as memory:
        assert memory.notes == noted
    assert (tmp_path / "demo.json").stat().st_mode & 0o077 == 0, "it holds invitations"


def test_a_first_start_that_did_not_come_to_its_end_leaves_nothing_behind(tmp_path: Path) -> None:
    with Memory(tmp_path) as memory:
        memory.notes.sites = ["one"]
        memory.save()
        (tmp_path / "home-assistant").mkdir()
        (tmp_path / "home-assistant" / "configuration.yaml").touch()
        (tmp_path / "meter-2.json").touch()
    with Memory(tmp_path) as memory:
        memory.clear()
        assert memory.notes.sites == []
        assert [path.name for path in tmp_path.iterdir()] == ["demo.json"]


def test_what_another_version_left_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "demo.json").write_text('{"meter": ["127.0.0.1", 1883], "dashboard": null, "past": {}}')
    with pytest.raises(InUseError, match="another version of the demo"):
        Memory(tmp_path).__enter__()
    assert "1883" in (tmp_path / "demo.json").read_text()


def test_one_demo_at_a_time_has_a_directory(tmp_path: Path) -> None:
    with Memory(tmp_path), pytest.raises(InUseError, match="a demo runs in"):
        Memory(tmp_path).__enter__()
