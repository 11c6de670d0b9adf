"""The command scripts/broker, and the folder that it makes."""

from datetime import timedelta
import os
from pathlib import Path
import re
import stat
import subprocess

import pytest

from tools.broker import ORGANISER, BrokerError, add_member, cli, create, renew
from tools.broker.certificates import new_authority
from tools.broker.configuration import acl, mosquitto_conf
from tools.broker.passwords import read

ROOT = Path(__file__).parents[2]
COMMAND = ROOT / "scripts" / "broker"
PASSWORD = re.compile(r"^password: +([a-z0-9]{20,})$", re.MULTILINE)
COMMUNITY = ("--community", "oakstreet", "--host", "broker.example.org")
MODES = {
    "mosquitto.conf": 0o644,
    "acl": 0o600,
    "passwords": 0o600,
    "ca.pem": 0o644,
    "ca.key": 0o600,
    "server.pem": 0o644,
    "server.key": 0o600,
}


def run(*arguments):
    return subprocess.run([COMMAND, *arguments], capture_output=True, text=True, check=False, timeout=60)


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "broker"
    create(made, community="oakstreet", host="broker.example.org")
    return made


def content(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_broker_from_its_making_to_its_renewal(tmp_path):
    made = tmp_path / "new" / "broker"
    told = run("create", *COMMUNITY, made)
    assert (told.returncode, told.stderr) == (0, "")
    organiser = PASSWORD.search(told.stdout)[1]
    assert f"user name: {ORGANISER}\n" in told.stdout
    assert "broker.example.org, port 8883" in told.stdout
    assert {path.name: stat.S_IMODE(path.stat().st_mode) for path in made.iterdir()} == MODES
    assert stat.S_IMODE(made.stat().st_mode) == 0o700
    assert [path.name for path in made.parent.iterdir()] == ["broker"]

    told = run("member", "anna12", made)
    assert (told.returncode, told.stderr) == (0, "")
    first = PASSWORD.search(told.stdout)[1]
    assert "user name: anna12\n" in told.stdout
    assert "SIGHUP" in told.stdout
    told = run("member", "anna12", made)
    assert len({organiser, first, PASSWORD.search(told.stdout)[1]}) == 3
    assert not any(first.encode() in kept or organiser.encode() in kept for kept in content(made).values())
    assert set(read(made / "passwords")) == {ORGANISER, "anna12"}

    before = content(made)
    told = run("organiser", made)
    assert (told.returncode, told.stderr) == (0, "")
    assert PASSWORD.search(told.stdout)[1] != organiser
    told = run("remove", "anna12", made)
    assert (told.returncode, told.stderr) == (0, "")
    assert set(read(made / "passwords")) == {ORGANISER}
    told = run("renew", made)
    assert (told.returncode, told.stderr) == (0, "")
    assert "broker.example.org" in told.stdout
    changed = {name for name, kept in content(made).items() if kept != before[name]}
    assert changed == {"passwords", "server.pem", "server.key"}
    assert {path.name: stat.S_IMODE(path.stat().st_mode) for path in made.iterdir()} == MODES


@pytest.mark.parametrize("command", ["create", "member", "remove", "organiser", "renew"])
def test_every_command_explains_itself(command, capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main([command, "--help"])
    assert ended.value.code == 0
    told = capsys.readouterr().out
    assert "DIR" in told
    assert "--help" in told
    assert command in cli._parser().format_help()


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["destroy"],
        ["--nothing"],
        ["create", "DIR"],
        ["create", "--community", "oakstreet", "DIR"],
        ["create", "--community", "Oak Street", "--host", "broker.example.org", "DIR"],
        ["create", "--community", "oak/#", "--host", "broker.example.org", "DIR"],
        ["create", "--community", "oak", "--host", "broker.example.org", "DIR"],
        ["create", "--community", "o" * 33, "--host", "broker.example.org", "DIR"],
        ["create", "--community", "oakstreet\n", "--host", "broker.example.org", "DIR"],
        ["create", "--community", "oakstreet", "--host", "mqtts://broker.example.org", "DIR"],
        ["create", "--community", "oakstreet", "--host", "broker.example.org:8883", "DIR"],
        ["create", "--community", "oakstreet", "--host", "*.example.org", "DIR"],
        ["create", "--community", "oakstreet", "--host", "chêne.example.org", "DIR"],
        ["create", "--community", "oakstreet", "--host", "127.0.0.256", "DIR"],
        ["create", "--community", "oakstreet", "--host", "a" * 64, "DIR"],
        ["create", "--community", "oakstreet", "--host", "", "DIR"],
        ["create", *COMMUNITY, "--port", "0", "DIR"],
        ["create", *COMMUNITY, "--port", "65536", "DIR"],
        ["create", *COMMUNITY, "--port", "mqtt", "DIR"],
        ["create", *COMMUNITY, "--bind", "everywhere", "DIR"],
        ["create", *COMMUNITY],
        ["member", "anna12"],
        ["member", "ann", "DIR"],
        ["member", "a" * 17, "DIR"],
        ["member", "Anna12", "DIR"],
        ["member", "an:na", "DIR"],
        ["member", "anna+", "DIR"],
        ["member", "anna12\n", "DIR"],
        ["member", "organiser", "DIR"],
        ["remove", "organiser", "DIR"],
        ["remove", "DIR"],
        ["renew", "--host", "not a host", "DIR"],
        ["organiser"],
    ],
    ids=" ".join,
)
def test_wrong_usage_ends_with_2_and_one_sentence(arguments, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        cli.main(arguments)
    told = capsys.readouterr()
    assert ended.value.code == 2
    assert not told.out
    assert told.err.startswith("broker")
    assert told.err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def fails(capsys, *arguments):
    assert cli.main([str(argument) for argument in arguments]) == 1
    told = capsys.readouterr()
    assert not told.out
    assert told.err.startswith("broker: ")
    assert told.err.count("\n") == 1
    return told.err


def test_a_broker_is_not_overwritten(folder, capsys):
    before = content(folder)
    assert "there is a broker in" in fails(capsys, "create", *COMMUNITY, folder)
    assert content(folder) == before
    assert list(folder.parent.iterdir()) == [folder]


def test_what_exists_is_left_alone(tmp_path, capsys):
    (tmp_path / "photos").mkdir()
    (tmp_path / "file").touch()
    for name in ("photos", "file", "."):
        assert "exists already" in fails(capsys, "create", *COMMUNITY, tmp_path / name)
    assert "file" in fails(capsys, "create", *COMMUNITY, tmp_path / "file" / "broker")
    assert {path.name for path in tmp_path.iterdir()} == {"photos", "file"}


@pytest.mark.parametrize("command", [["member", "anna12"], ["remove", "anna12"], ["organiser"], ["renew"]])
def test_where_there_is_no_broker_it_says_so(command, tmp_path, capsys):
    assert "there is no broker in" in fails(capsys, *command, tmp_path)
    assert "there is no broker in" in fails(capsys, *command, tmp_path / "nowhere")
    assert list(tmp_path.iterdir()) == []


def test_member_that_is_not_there_cannot_be_removed(folder, capsys):
    assert "no member anna12" in fails(capsys, "remove", "anna12", folder)


def test_damaged_files_are_named_and_left(folder, capsys):
    for name, commands in {
        "server.pem": [["renew"]],
        "ca.pem": [["renew"], ["renew", "--host", "broker.example.org"]],
        "ca.key": [["renew"]],
        "passwords": [["member", "anna12"], ["organiser"], ["remove", "anna12"], ["renew"]],
    }.items():
        good = (folder / name).read_bytes()
        for bad in (b"damaged\n", b"\xff\xfe\n"):
            (folder / name).write_bytes(bad)
            before = content(folder)
            for command in commands:
                assert str(folder) in fails(capsys, *command, folder)
            assert content(folder) == before
        (folder / name).unlink()
        for command in commands:
            assert str(folder) in fails(capsys, *command, folder)
        (folder / name).write_bytes(good)
    assert cli.main(["renew", str(folder)]) == 0


def test_authority_of_another_or_of_the_past_signs_nothing(folder, monkeypatch):
    (folder / "ca.key").write_bytes(new_authority("elsewhere").key)
    with pytest.raises(BrokerError, match="its key is not the key of its certificate"):
        renew(folder)
    monkeypatch.setattr("tools.broker.certificates.AUTHORITY_LIFETIME", -timedelta(hours=1))
    past = new_authority("oakstreet")
    (folder / "ca.key").write_bytes(past.key)
    (folder / "ca.pem").write_bytes(past.certificate)
    with pytest.raises(BrokerError, match="it has ended"):
        renew(folder)


def test_when_the_certificate_ends_soon_each_command_reminds_of_it(folder, monkeypatch, capsys):
    assert cli.main(["member", "anna12", str(folder)]) == 0
    assert "Renew it" not in capsys.readouterr().out
    with monkeypatch.context() as patch:
        patch.setattr("tools.broker.certificates.SERVER_LIFETIME", timedelta(days=100))
        renew(folder)
    assert cli.main(["member", "ben99", str(folder)]) == 0
    assert f"Renew it: scripts/broker renew {folder}" in capsys.readouterr().out


def test_a_password_is_written_whole_or_not_at_all(folder, monkeypatch, capsys):
    before = content(folder)

    def full(_descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert "No space left on device" in fails(capsys, "member", "anna12", folder)
    assert content(folder) == before
    assert "No space left on device" in fails(capsys, "create", *COMMUNITY, folder.parent / "other")
    assert list(folder.parent.iterdir()) == [folder]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_files_stay_those_of_the_broker_when_root_replaces_them(folder):
    for path in folder.iterdir():
        os.chown(path, 12345, 23456)
    add_member(folder, "anna12")
    renew(folder)
    assert {(path.stat().st_uid, path.stat().st_gid) for path in folder.iterdir()} == {(12345, 23456)}


def test_configuration_names_port_and_address(tmp_path):
    create(tmp_path / "one", community="oakstreet", host="::1", port=18883, bind="::1")
    assert "\nlistener 18883 ::1\n" in (tmp_path / "one" / "mosquitto.conf").read_text()
    create(tmp_path / "two", community="oakstreet", host="broker.example.org")
    text = (tmp_path / "two" / "mosquitto.conf").read_text()
    assert "\nlistener 8883\n" in text
    assert text.count("\nlistener ") == 1
    # The user name as client id keeps them out as well, so that no client can tell.
    assert "\nallow_anonymous false\n" in text
    assert "\nprotocol " not in text


def test_documentation_shows_the_files_as_they_are_written(folder):
    shown = re.findall(r"^```\n(.*?)^```$", (ROOT / "docs" / "organiser.md").read_text(), re.MULTILINE | re.DOTALL)
    assert (folder / "mosquitto.conf").read_text() == mosquitto_conf("oakstreet", 8883)
    assert (folder / "acl").read_text() == acl("oakstreet")
    assert mosquitto_conf("oakstreet", 8883) in shown
    assert acl("oakstreet") in shown
