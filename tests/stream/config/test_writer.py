"""The JSON Schema and the commented file are both written from the descriptions in stream/config/model.py."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from textwrap import wrap
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from harstream.stream.config.camera import CameraConfig
from harstream.stream.config.file import load_config
from harstream.stream.config.json_schema import config_schema, schema_at
from harstream.stream.config.model import Config
from harstream.stream.config.writer import FromFile, WithVariables, config_text
from harstream.stream.sources.address import parse_source
from harstream.wire.errors import ConfigError
from tests.support.accounts import PASSWORD_HASH, TOKEN

REPOSITORY = Path(__file__).parents[3]
SCHEMA_IN_THE_REPOSITORY = "docs/config.schema.json"


def test_config_of_the_repository_holds_the_defaults() -> None:
    assert load_config(REPOSITORY / "config.yaml") == Config()


def test_config_of_the_repository_is_up_to_date() -> None:
    expected = config_text(Config().model_dump(), SCHEMA_IN_THE_REPOSITORY)
    assert (REPOSITORY / "config.yaml").read_text(encoding="utf-8") == expected, "run `make config`"


def test_schema_of_the_repository_is_up_to_date() -> None:
    written = json.loads((REPOSITORY / SCHEMA_IN_THE_REPOSITORY).read_text(encoding="utf-8"))
    assert written == config_schema(), "run `make config`"


@pytest.fixture(scope="module")
def validator() -> jsonschema.Draft202012Validator:
    """Return what checks values by the schema. The schema is correct in this draft of JSON Schema."""
    schema = config_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def test_schema_is_valid() -> None:
    jsonschema.Draft7Validator.check_schema(config_schema())


def all_keys(path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    node = schema_at(path)
    for key in node.get("properties", ()):
        yield (*path, key)
        yield from all_keys((*path, key))
    if "items" in node:
        yield from all_keys((*path, 0))
    if isinstance(node.get("additionalProperties"), dict):
        yield from all_keys((*path, "any"))


@pytest.mark.parametrize("path", list(all_keys()), ids=lambda path: ".".join(map(str, path)))
def test_every_key_is_described(path: tuple[str | int, ...]) -> None:
    assert schema_at(path)["description"]


def test_comments_stand_beside_short_values_and_above_long_ones() -> None:
    long = "rtsp://host/" + "x" * 100
    cameras = [{"name": "a", "source": "scene", "area": None}, {"name": "b", "source": long, "area": "Room"}]
    lines = config_text({"cameras": cameras, "node": "n"}).splitlines()

    def described(*path: str | int) -> str:
        return str(schema_at(path)["description"])

    source = f"    source: scene             # {described('cameras', 0, 'source')}"
    assert lines[lines.index("") :] == [
        "",
        f"cameras:                      # {described('cameras')}",
        f"  - name: a                   # {described('cameras', 0, 'name')}",
        *wrap(source, 120, subsequent_indent=f"{'':30}# "),
        f"    area: null                # {described('cameras', 0, 'area')}",
        "  - name: b",
        f"    source: {long}",
        "    area: Room",
        "",
        f"node: n                       # {described('node')}",
    ]
    (first,) = [line for line in config_text({"cameras": cameras[1:]}).splitlines() if "a webcam's index" in line]
    assert first == f"    # {described('cameras', 0, 'source')}"


def test_secrets_are_written_as_references(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "hall").write_text("rtsp://me:one@host/1\n")
    monkeypatch.setenv("PASSWORD", "two")
    values = Config().model_dump() | {
        "cameras": [
            {"name": "hall", "source": FromFile("hall"), "area": None},
            {"name": "yard", "source": WithVariables("rtsp://me:${PASSWORD}@host/2"), "area": "${PASSWORD}"},
        ]
    }
    (tmp_path / "config.yaml").write_text(config_text(values))
    hall, yard = load_config(tmp_path / "config.yaml").cameras
    assert hall.source == "rtsp://me:one@host/1"
    assert (yard.source, yard.area) == ("rtsp://me:two@host/2", "${PASSWORD}")


shares = some.floats(0, 1)
seconds = some.floats(0, 86400)
names = some.from_regex(r"\A[A-Za-z0-9_-]{1,64}\Z")
letters = some.characters(codec="utf-8")
texts = some.text(letters, max_size=30) | some.sampled_from(["${HOME}", "$${A}", "no", "1e3", "!file x", "# a", "a: b"])
paths = texts.filter(bool).map(Path)


def is_source(text: str) -> bool:
    try:
        parse_source(text)
    except ConfigError:
        return False
    return True


sources = (
    texts | some.integers(0, 99).map(str) | some.sampled_from(["rtsp://a:${B}@[::1]/x?y#z", "scene?seed=2"])
).filter(is_source)
cameras = some.builds(CameraConfig, name=names, source=sources, area=some.none() | texts)


def thresholds(ends: dict[str, Any]) -> dict[str, Any]:
    low, high = sorted(ends.values())
    return {"start_above": high, "end_below": low}


pairs = some.fixed_dictionaries({"start_above": shares, "end_below": shares}).map(thresholds)


users = some.fixed_dictionaries({
    "name": some.from_regex(r"\A[A-Za-z0-9_.@-]{1,64}\Z"), "password_hash": some.just(PASSWORD_HASH),
    "role": some.sampled_from(["viewer", "operator"]),
})  # fmt: skip
webs = some.fixed_dictionaries({
    "enabled": some.booleans(), "host": texts, "port": some.integers(0, 65535), "auth": some.just("none"),
    "users": some.lists(users, max_size=2, unique_by=lambda user: user["name"]),
    "tokens": some.just([]) | some.just([{"name": "grafana", "token": TOKEN}]),
    "proxy": some.none() | some.just({"addresses": ["10.0.0.0/8", "::1"], "user_header": "X-User"}),
    "tls": some.none() | some.fixed_dictionaries({"certificate": paths, "key": paths}),
    "hosts": some.just([]) | some.just(["cameras.example.org"]),
    "frame_ancestors": some.just([]) | some.just(["https://*.example.org:8123"]),
})  # fmt: skip


@some.composite
def configs(draw: some.DrawFn) -> Config:
    activities = draw(pairs | some.just({})) | {
        "smoothing": draw(seconds), "hold": draw(seconds), "gone": draw(seconds), "merge": draw(seconds),
        "update": draw(seconds), "max_duration": draw(some.floats(0, exclude_min=True)),
        "overrides": draw(some.dictionaries(texts, pairs, max_size=3)),
    }  # fmt: skip
    return Config.model_validate(
        {
            "node": draw(names),
            "model": draw(texts.filter(bool)),
            "device": draw(some.sampled_from(["auto", "cpu", "cuda"])),
            "stride": draw(some.integers(1, 100)),
            "cameras": draw(
                some.lists(cameras, min_size=1, max_size=3, unique_by=lambda camera: camera.name.casefold())
            ),
            "mqtt": {
                "broker": draw(some.sampled_from([None, "mqtt://nuc", "mqtts://a:b%20${C}@[::1]:8883"])),
                "embedded_port": draw(some.integers(1, 65535)),
                "observations": draw(some.booleans()),
            },
            "web": draw(webs),
            "display": draw(some.booleans()),
            "record": draw(some.none() | paths),
            "events": draw(some.none() | paths),
            "state": draw(paths),
            "history": {"enabled": draw(some.booleans()), "days": draw(some.floats(0, 36500, exclude_min=True))},
            "activities": activities,
        }
    )


@given(config=configs())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None)
def test_any_configuration_is_read_back_unchanged_and_fits_the_schema(
    config: Config, validator: jsonschema.Draft202012Validator, tmp_path: Path
) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(config_text(config.model_dump()), encoding="utf-8", newline="")
    assert load_config(file) == config
    validator.validate(yaml.safe_load(file.read_text(encoding="utf-8")))


@pytest.mark.parametrize(
    "key", ["stride: ${A}", "device: ${A}", "display: ${A}", "node: ${A}", "activities: {hold: '${A}'}"]
)
def test_schema_accepts_values_from_the_environment(key: str, validator: jsonschema.Draft202012Validator) -> None:
    validator.validate(yaml.safe_load(key))


@pytest.mark.parametrize(
    "text", ["modle: lrcn", "stride: 0", "device: gpu", "node: my house", "cameras: []", "web: {port: x}"]
)
def test_schema_refuses_invalid_values(text: str, validator: jsonschema.Draft202012Validator) -> None:
    with pytest.raises(jsonschema.ValidationError):
        validator.validate(yaml.safe_load(text))


@pytest.mark.parametrize("length", range(100, 121))
def test_a_line_of_any_length_without_a_comment_is_written(length: int) -> None:
    user = "u" * length
    assert user in config_text({"web": {"users": {user: {"role": "viewer"}}}})
