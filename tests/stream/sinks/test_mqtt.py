"""The MQTT sink against a real mosquitto: no event is lost, no state is stale, no password is shown."""

from __future__ import annotations

import json
import logging
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harstream.mqtt.broker.address import BrokerAddress, TlsSettings
from harstream.mqtt.broker.connection import Connection
from harstream.mqtt.outbox import Outbox
from harstream.stream.sinks.mqtt import MqttSink, new_publisher
from harstream.stream.web.forecast_cache import ForecastCache
from harstream.wire.context import Context, labels_sha
from harstream.wire.errors import BrokerError, SinkError
from harstream.wire.health import HealthState, LatencyStats, NodeStats
from harstream.wire.messages.emission import EmissionMessage
from harstream.wire.values import CameraState, Event, EventType, Forecast, Notice
from tests.support.clock import SettableClock
from tests.support.values import MakeEvent, MakeHealth, MakeNotice, subject
from tests.support.waiting import Eventually

pytestmark = pytest.mark.mosquitto

MakeSink = Callable[..., MqttSink]
StartSink = Callable[..., tuple[Any, MqttSink]]
StopBroker = Callable[..., None]

EVENT = "camera/hall/event"
ACTIVITY = "camera/hall/activity"
AVAILABILITY = "camera/hall/availability"
HEALTH = "camera/hall/health"


@pytest.fixture
def make_sink(tmp_path: Path, context: Context, clock: SettableClock) -> Iterator[MakeSink]:
    sinks: list[MqttSink] = []

    def make(url: str, **more: Any) -> MqttSink:
        outbox = Outbox(tmp_path / "outbox.db", clock=clock)
        sinks.append(MqttSink(new_publisher(BrokerAddress.parse(url), outbox, "nuc1"), context, **more))
        return sinks[-1]

    yield make
    for sink in sinks:
        sink.close()


@pytest.fixture
def start_sink(mosquitto: Any, subscribe: Any, make_sink: MakeSink) -> StartSink:
    """Starts a subscriber, then a sink, so that the subscriber misses nothing. Returns both."""

    def start(**more: Any) -> tuple[Any, MqttSink]:
        subscriber, sink = subscribe(mosquitto.port), make_sink(mosquitto.url, **more)
        sink.start()
        return subscriber, sink

    return start


@pytest.fixture
def stop_broker(mosquitto: Any, eventually: Eventually) -> StopBroker:
    """Stops the broker and waits until the sink notices it."""

    def stop(sink: MqttSink, **how: bool) -> None:
        mosquitto.stop(**how)
        eventually(lambda: not sink.publisher.is_connected, "the loss to be noticed")

    return stop


def handle(sink: MqttSink, notice: Notice) -> None:
    """Passes a notice to both parts of the sink, as a service does."""
    sink.publish_events(notice)
    sink.handle(notice)


def series(make_event: MakeEvent, first: int, last: int) -> list[Event]:
    """Returns events of one activity: number 1 is the start, number 9 is the end."""
    kinds = {1: EventType.START, 9: EventType.END}
    return [make_event(kinds.get(seq, EventType.UPDATE), seq=seq) for seq in range(first, last + 1)]


def seqs(received: list[Any]) -> list[int]:
    return [message.json["seq"] for message in received]


def test_start_and_end_arrive_once_each(
    start_sink: StartSink, make_event: MakeEvent, make_notice: MakeNotice, eventually: Eventually
) -> None:
    subscriber, sink = start_sink()
    handle(sink, make_notice(make_event()))
    handle(sink, make_notice(make_event(EventType.END, seq=2)))
    eventually(lambda: len(subscriber.of(EVENT)) == 2, "both events")
    start, end = subscriber.of(EVENT)
    assert (start.json["event_type"], end.json["event_type"]) == ("start", "end")
    assert (start.qos, start.retained, start.json["historical"]) == (1, False, False)
    assert end.topic == "har/nuc1/camera/hall/event"


def test_an_outage_loses_no_event_and_keeps_their_order(
    start_sink: StartSink, stop_broker: StopBroker, mosquitto: Any, make_event: MakeEvent, make_notice: MakeNotice,
    eventually: Eventually, clock: SettableClock,
) -> None:  # fmt: skip
    subscriber, sink = start_sink()
    handle(sink, make_notice(*series(make_event, 1, 3)))
    eventually(lambda: len(subscriber.of(EVENT)) == 3, "the events before the outage")
    eventually(lambda: sink.publisher.waiting == 0, "their acknowledgements, without which they are sent again")
    stop_broker(sink)
    handle(sink, make_notice(*series(make_event, 4, 9)))
    clock.now = 60.0
    mosquitto.start()
    eventually(lambda: len(subscriber.of(EVENT)) >= 9, "the events of the outage")
    assert seqs(subscriber.of(EVENT)) == [1, 2, 3, 4, 5, 6, 7, 8, 9]
    assert [message.json["historical"] for message in subscriber.of(EVENT)] == [False] * 3 + [True] * 6


def test_an_event_sent_within_five_seconds_of_an_outage_is_not_historical(
    start_sink: StartSink, stop_broker: StopBroker, mosquitto: Any, make_event: MakeEvent, make_notice: MakeNotice,
    eventually: Eventually, clock: SettableClock,
) -> None:  # fmt: skip
    subscriber, sink = start_sink()
    stop_broker(sink)
    handle(sink, make_notice(make_event()))
    clock.now = 4.9
    mosquitto.start()
    eventually(lambda: subscriber.of(EVENT), "the event")
    assert not subscriber.of(EVENT)[0].json["historical"]


def test_events_of_a_run_without_a_broker_are_sent_by_the_next_run(
    stopped_mosquitto: Any, subscribe: Any, make_sink: MakeSink, make_event: MakeEvent, make_notice: MakeNotice,
    eventually: Eventually,
) -> None:  # fmt: skip
    first = make_sink(stopped_mosquitto.url)
    first.start(must_connect=False)
    handle(first, make_notice(*series(make_event, 1, 2)))
    first.close()
    stopped_mosquitto.start()
    subscriber = subscribe(stopped_mosquitto.port)
    second = make_sink(stopped_mosquitto.url)
    second.start()
    eventually(lambda: len(subscriber.of(EVENT)) == 2, "the events of the first run")
    assert [(m.json["seq"], m.json["historical"]) for m in subscriber.of(EVENT)] == [(1, True), (2, True)]


def test_sink_that_need_not_connect_finds_a_broker_that_starts_later(
    stopped_mosquitto: Any, make_sink: MakeSink, eventually: Eventually
) -> None:
    sink = make_sink(stopped_mosquitto.url)
    sink.start(must_connect=False)
    stopped_mosquitto.start()
    eventually(lambda: sink.publisher.is_connected, "the connection")


def test_late_subscriber_receives_all_retained_states(
    mosquitto: Any, subscribe: Any, make_sink: MakeSink, make_notice: MakeNotice, eventually: Eventually,
    context: Context,
) -> None:  # fmt: skip
    report = {"labels": ["Lunges"], "matrix": [[1.0]], "prior": [1.0]}
    sink = make_sink(mosquitto.url, emission=EmissionMessage.of(report, context))
    sink.start()
    early = subscribe(mosquitto.port)
    sink.handle(make_notice(activity="Lunges", state=CameraState.LIVE))
    eventually(lambda: early.of(ACTIVITY), "the activity to reach the broker")
    late = subscribe(mosquitto.port)
    everything = ["status", "info", "labels", "emission", ACTIVITY, AVAILABILITY]
    eventually(lambda: all(late.of(f"/{topic}") for topic in everything), "all retained topics")
    assert all(late.of(f"/{topic}")[0].retained for topic in everything)
    assert late.of("/status")[0].payload == late.of(AVAILABILITY)[0].payload == "online"
    assert late.of(ACTIVITY)[0].json["activity"] == "Lunges"
    emission = late.of("/emission")[0].json
    assert (emission["schema"], emission["matrix"]) == ("harstream.emission/1", [[1.0]])
    assert emission["labels_sha"] == late.of("/labels")[0].json["labels_sha"]


def test_broker_that_lost_its_data_receives_all_states_again(
    mosquitto: Any, stop_broker: StopBroker, subscribe: Any, make_sink: MakeSink, make_notice: MakeNotice,
    eventually: Eventually,
) -> None:  # fmt: skip
    sink = make_sink(mosquitto.url)
    sink.start()
    sink.handle(make_notice(activity="Lunges"))
    stop_broker(sink, forget=True)
    sink.handle(make_notice(activity="JumpingJack", time=1_700_000_001.0))
    mosquitto.start()
    eventually(lambda: sink.publisher.is_connected, "the connection")
    late = subscribe(mosquitto.port)
    eventually(lambda: late.of(ACTIVITY) and late.of(AVAILABILITY) and late.of("/info"), "the retained topics")
    assert late.of(ACTIVITY)[-1].json["activity"] == "JumpingJack"


def test_the_activity_is_published_on_change_and_every_minute(
    start_sink: StartSink, make_event: MakeEvent, make_notice: MakeNotice, eventually: Eventually
) -> None:
    subscriber, sink = start_sink()
    for second, name in [(0, "unknown"), (1, "unknown"), (2, "Lunges"), (3, "Lunges"), (61, "Lunges"), (62, "Lunges")]:
        # Wait for the broker: if states follow at once, only the last one must be published.
        before = len(subscriber.of(ACTIVITY))
        sink.handle(make_notice(activity=name, time=1_700_000_000.0 + second))
        if second in (0, 2, 62):
            eventually(lambda before=before: len(subscriber.of(ACTIVITY)) > before, "the activity")  # type: ignore[misc]
    assert [(m.json["activity"], m.json["updated_at"][17:19]) for m in subscriber.of(ACTIVITY)] == [
        ("unknown", "20"), ("Lunges", "22"), ("Lunges", "22")
    ]  # fmt: skip


def test_the_activity_is_published_when_somebody_comes_and_nobody_is_there_after_the_end(
    start_sink: StartSink, make_notice: MakeNotice, eventually: Eventually
) -> None:
    subscriber, sink = start_sink()
    for people in ([subject(None, "unknown")], [subject(1, "unknown")], [subject(1, "unknown"), subject(2, "unknown")]):
        before = len(subscriber.of(ACTIVITY))
        sink.handle(make_notice(subjects=people))
        eventually(lambda before=before: len(subscriber.of(ACTIVITY)) > before, "the activity")  # type: ignore[misc]
    sink.close()
    eventually(lambda: subscriber.of("/status")[-1].payload == "offline", "the status offline")
    numbers = [[each["person"] for each in m.json.get("people", [])] for m in subscriber.of(ACTIVITY)]
    assert numbers == [[], [1], [1, 2], []]


def test_observations_are_published_while_connected_and_otherwise_counted_as_dropped(
    start_sink: StartSink, stop_broker: StopBroker, mosquitto: Any, make_notice: MakeNotice, eventually: Eventually
) -> None:
    subscriber, sink = start_sink()
    eventually(lambda: sink.publisher.is_connected, "the connection")
    sink.handle(make_notice(scores=(0.1, 0.8, 0.1)))
    eventually(lambda: subscriber.of("observation"), "the observation")
    stop_broker(sink)
    sink.handle(make_notice(scores=(0.1, 0.8, 0.1)))
    assert sink.publisher.dropped == 1
    announced = len(subscriber.of("/status"))
    mosquitto.start()
    eventually(lambda: sink.publisher.is_connected, "the connection")
    eventually(lambda: len(subscriber.of("/status")) > announced, "the subscriber to be back")
    sink.handle(make_notice(scores=(0.1, 0.8, 0.1)))
    eventually(lambda: len(subscriber.of("observation")) == 2, "the observation after the outage")
    assert seqs(subscriber.of("observation")) == [1, 3]
    assert [m.qos for m in subscriber.of("observation")] == [0, 0]


def test_observations_can_be_switched_off(
    start_sink: StartSink, make_event: MakeEvent, make_notice: MakeNotice, eventually: Eventually
) -> None:
    subscriber, sink = start_sink(observations=False)
    eventually(lambda: sink.publisher.is_connected, "the connection")
    handle(sink, make_notice(make_event(), scores=(0.1, 0.8, 0.1)))
    eventually(lambda: subscriber.of(EVENT), "the event")
    sink.close()
    eventually(lambda: subscriber.of("/status")[-1].payload == "offline", "the status offline")
    assert subscriber.of("observation") == []


def test_a_camera_that_is_lost_is_offline(
    start_sink: StartSink, make_notice: MakeNotice, eventually: Eventually
) -> None:
    subscriber, sink = start_sink()
    for state, availability in [(CameraState.LIVE, "online"), (CameraState.OFFLINE, "offline")]:
        sink.handle(make_notice(state=CameraState.CONNECTING))
        sink.handle(make_notice(state=state))
        eventually(
            lambda last=availability: [m.payload for m in subscriber.of(AVAILABILITY)][-1:] == [last],  # type: ignore[misc]
            availability,
        )
    assert [m.payload for m in subscriber.of(AVAILABILITY)] == ["online", "offline"]


def test_close_publishes_offline_after_the_last_event(
    start_sink: StartSink, make_event: MakeEvent, make_notice: MakeNotice, eventually: Eventually
) -> None:
    subscriber, sink = start_sink()
    handle(sink, make_notice(*series(make_event, 1, 9), activity="JumpingJack"))
    sink.close()
    eventually(lambda: subscriber.of("/status")[-1].payload == "offline", "the status offline")
    assert seqs(subscriber.of(EVENT)) == [1, 2, 3, 4, 5, 6, 7, 8, 9]
    assert subscriber.received[-1].topic == "har/nuc1/status"
    assert subscriber.of(ACTIVITY)[-1].json["activity"] == "unknown"
    assert subscriber.of(AVAILABILITY)[-1].payload == "offline"
    assert not [thread for thread in threading.enumerate() if "mqtt" in thread.name]


def test_close_does_not_wait_for_a_broker_that_is_gone(
    mosquitto: Any, make_sink: MakeSink, make_event: MakeEvent, make_notice: MakeNotice
) -> None:
    sink = make_sink(mosquitto.url)
    sink.start()
    mosquitto.stop()
    handle(sink, make_notice(make_event()))
    began = time.monotonic()
    sink.close()
    assert time.monotonic() - began < 5


def test_a_broker_that_hangs_blocks_neither_handle_nor_close(
    mosquitto: Any, make_sink: MakeSink, make_event: MakeEvent, make_notice: MakeNotice, eventually: Eventually
) -> None:
    sink = make_sink(mosquitto.url)
    sink.start()
    eventually(lambda: sink.publisher.is_connected, "the connection")
    mosquitto._process.send_signal(signal.SIGSTOP)
    try:
        began = time.monotonic()
        for seq in range(1, 200):
            handle(sink, make_notice(make_event(seq=seq), scores=(0.1, 0.8, 0.1)))
        assert time.monotonic() - began < 2
        sink.close()
        # The sink waits 3 s for acknowledgements and 1 s for its last status.
        assert time.monotonic() - began < 7
    finally:
        mosquitto._process.send_signal(signal.SIGCONT)


class FailingOutbox(Outbox):
    def oldest(self, *, except_on: Collection[str] = ()) -> None:
        raise RuntimeError("an internal error")


def test_an_error_on_the_publishers_thread_is_raised_by_handle(
    mosquitto: Any, tmp_path: Path, context: Context, make_notice: MakeNotice, eventually: Eventually
) -> None:
    outbox = FailingOutbox(tmp_path / "failing.db")
    sink = MqttSink(new_publisher(BrokerAddress.parse(mosquitto.url), outbox, "nuc1"), context)
    sink.start()

    def raises() -> bool:
        try:
            sink.handle(make_notice())
        except SinkError as error:
            return "an internal error" in str(error)
        return False

    eventually(raises, "the error")
    sink.close()


def test_an_error_of_a_handler_is_raised_by_handle(
    mosquitto: Any, make_sink: MakeSink, eventually: Eventually, make_notice: MakeNotice
) -> None:
    topic, sink = "har/nuc1/camera/hall/enabled/set", make_sink(mosquitto.url)

    def fail(_: str, payload: bytes, __: bool) -> None:
        raise RuntimeError(f"an internal error with {payload.decode()}")

    sink.publisher.subscribe(topic, fail)
    sink.start()
    # The message is retained because the subscription may be made later.
    subprocess.run(["mosquitto_pub", "-p", str(mosquitto.port), "-r", "-t", topic, "-m", "ON"], check=True)

    def raises() -> bool:
        try:
            sink.handle(make_notice())
        except SinkError as error:
            return "an internal error with ON" in str(error)
        return False

    eventually(raises, "the error")


PROCESS = """
import sys, time
from pathlib import Path
from harstream.models.contract import ModelContract
from harstream.mqtt.broker.address import BrokerAddress
from harstream.mqtt.outbox import Outbox
from harstream.stream.sinks.mqtt import MqttSink, new_publisher
from harstream.wire.context import Context
contract = ModelContract(name="m", version="1", labels=("a", "b"))
context = Context(node="nuc1", areas={}, contract=contract, model_sha256="", version="0")
sink = MqttSink(new_publisher(BrokerAddress.parse(sys.argv[1]), Outbox(Path(sys.argv[2])), "nuc1"), context)
sink.start()
time.sleep(60)
"""


def test_a_killed_process_is_offline_by_its_last_will(
    mosquitto: Any, subscribe: Any, tmp_path: Path, eventually: Eventually
) -> None:
    subscriber = subscribe(mosquitto.port)
    command = [sys.executable, "-c", PROCESS, mosquitto.url, str(tmp_path / "killed.db")]
    process = subprocess.Popen(command, cwd=Path(__file__).parents[3])
    eventually(lambda: [m.payload for m in subscriber.of("/status")] == ["online"], "the process to be online")
    process.kill()
    process.wait()
    eventually(lambda: [m.payload for m in subscriber.of("/status")] == ["online", "offline"], "the last will")
    late = subscribe(mosquitto.port)
    eventually(lambda: late.of("/status"), "the retained will")
    assert (late.of("/status")[0].payload, late.of("/status")[0].retained) == ("offline", True)


def test_the_client_id_is_kept_over_runs(mosquitto: Any, make_sink: MakeSink, tmp_path: Path) -> None:
    ids = []
    for _ in range(2):
        sink = make_sink(mosquitto.url)
        sink.start()
        sink.close()
        ids.append((tmp_path / "outbox.db.client-id").read_text())
    assert ids[0] == ids[1]
    assert re.fullmatch(r"har[0-9a-f]{16}\n", ids[0])


def test_two_clients_with_one_id_are_reported_in_the_log(
    mosquitto: Any, make_sink: MakeSink, tmp_path: Path, eventually: Eventually, caplog: pytest.LogCaptureFixture
) -> None:
    sink = make_sink(mosquitto.url)
    sink.start()
    kept = (tmp_path / "outbox.db.client-id").read_text().strip()
    for _ in range(2):
        eventually(lambda: sink.publisher.is_connected, "the connection")
        other = Connection(BrokerAddress.parse(mosquitto.url), client_id=kept)
        other.open()
        eventually(lambda: not sink.publisher.is_connected, "the loss")
        other.close()
    eventually(lambda: "again so soon: perhaps another client has this" in caplog.text, "the hint")


def test_mqtt_5_is_used_if_the_broker_supports_it(mosquitto: Any) -> None:
    connection = Connection(BrokerAddress.parse(mosquitto.url))
    connection.open()
    assert connection.version == "5"
    connection.close()


def test_a_wrong_password_gives_a_one_line_error_without_it(
    stopped_mosquitto: Any, make_sink: MakeSink, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    stopped_mosquitto.require_login("ada", "the-right-one")
    stopped_mosquitto.start()
    address = f"mqtt://ada:geheim42@127.0.0.1:{stopped_mosquitto.port}"
    sink = make_sink(address)
    with pytest.raises(BrokerError) as caught:
        sink.start()
    assert f"the broker at {stopped_mosquitto.url} refused the login of 'ada'" in str(caught.value)
    assert "geheim42" not in str(caught.value)
    assert "geheim42" not in caplog.text
    assert "geheim42" not in repr(BrokerAddress.parse(address))


def test_a_missing_login_gives_a_one_line_error(stopped_mosquitto: Any, make_sink: MakeSink) -> None:
    stopped_mosquitto.require_login("ada", "the-right-one")
    stopped_mosquitto.start()
    with pytest.raises(BrokerError, match=r"needs a login, got none: .* mqtt:"):
        make_sink(stopped_mosquitto.url).start()


def test_the_right_password_connects(stopped_mosquitto: Any, make_sink: MakeSink, eventually: Eventually) -> None:
    stopped_mosquitto.require_login("ada", "p@ss/w:rd")
    stopped_mosquitto.start()
    sink = make_sink(f"mqtt://ada:p%40ss%2Fw%3Ard@127.0.0.1:{stopped_mosquitto.port}")
    sink.start()
    eventually(lambda: sink.publisher.is_connected, "the connection")


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    """Returns the paths of a self-signed certificate and of its key."""
    paths = tmp_path / "certificate.pem", tmp_path / "key.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
               "-days", "2", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1",
               "-out", str(paths[0]), "-keyout", str(paths[1])]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True)
    return paths


def test_tls_trusts_only_the_given_certificate(stopped_mosquitto: Any, certificate: tuple[Path, Path]) -> None:
    stopped_mosquitto.use_tls(*certificate)
    stopped_mosquitto.start()
    address = BrokerAddress.parse(stopped_mosquitto.url)
    with pytest.raises(BrokerError, match=r"unknown authority: set mqtt\.tls\.ca"):
        Connection(address).open()
    connection = Connection(replace(address, tls_settings=TlsSettings(ca=certificate[0])))
    connection.open()
    connection.close()


def test_a_missing_broker_at_the_start_gives_a_one_line_error(make_sink: MakeSink, free_port: int) -> None:
    with pytest.raises(BrokerError) as caught:
        make_sink(f"mqtt://ada:geheim42@127.0.0.1:{free_port}").start()
    assert str(caught.value) == (
        f"expected a broker at mqtt://127.0.0.1:{free_port}, got connection refused: "
        "start it, or correct host and port; `harstream run` without mqtt.broker has its own"
    )


def test_begin_and_end_of_an_outage_are_logged(
    mosquitto: Any, make_sink: MakeSink, make_event: MakeEvent, make_notice: MakeNotice, eventually: Eventually,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    caplog.set_level(logging.INFO)
    sink = make_sink(mosquitto.url)
    sink.start()
    mosquitto.stop()
    eventually(lambda: "still retrying" in caplog.text, "the first failed attempt")
    handle(sink, make_notice(make_event()))
    mosquitto.start()
    eventually(lambda: "1 events waited" in caplog.text, "the end of the outage")
    levels = [record.levelname for record in caplog.records]
    assert levels == ["INFO", "WARNING", "WARNING", "INFO"]


def test_health_is_published_on_change_every_minute_and_at_the_end(
    start_sink: StartSink, mosquitto: Any, subscribe: Any, make_health: MakeHealth, eventually: Eventually
) -> None:
    subscriber, sink = start_sink()
    slow: dict[str, Any] = {"state": HealthState.LIVE, "overloaded": True, "dropping": 0.4}
    published = 0
    steps: list[tuple[int, dict[str, Any], bool]] = [
        (0, {}, True), (1, {"fps": 20.0, "frame_age": 1.0}, False), (2, slow, True), (3, slow | {"dropped": 9}, False),
        (61, slow, False), (62, slow, True), (63, {"reconnects": 1}, True), (64, slow, True),
    ]  # fmt: skip
    for second, changes, is_news in steps:
        sink.report(make_health(time=1_700_000_000.0 + second, **changes))
        published += is_news
        # Wait for the broker: if states follow at once, only the last one must be published.
        eventually(lambda: len(subscriber.of(HEALTH)) >= published, "the health")  # noqa: B023  (called at once)
    sink.close()
    eventually(lambda: len(subscriber.of(HEALTH)) > published, "the health at the end")
    messages = [message.json for message in subscriber.of(HEALTH)]
    assert [(m["updated_at"][17:19], m["state"], m["overloaded"]) for m in messages[:-1]] == [
        ("20", "live", False), ("22", "live", True), ("22", "live", True), ("23", "live", False), ("24", "live", True)
    ]  # fmt: skip
    assert (messages[-1]["state"], messages[-1]["reason"]) == ("offline", "harstream has stopped")
    assert (messages[-1]["overloaded"], messages[-1]["dropping"], messages[-1]["fps"]) == (False, 0, 0)
    late = subscribe(mosquitto.port)
    eventually(lambda: late.of(HEALTH), "the retained health")
    assert late.of(HEALTH)[0].retained


def test_messages_in_a_row_are_sent_at_once(mosquitto: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    # Nothing is timed here: an option of the socket says whether the system holds a message back.
    opened: list[socket.socket] = []
    connect = socket.create_connection

    def record_socket(*arguments: Any, **options: Any) -> socket.socket:
        opened.append(connect(*arguments, **options))
        return opened[-1]

    monkeypatch.setattr(socket, "create_connection", record_socket)
    connection = Connection(BrokerAddress.parse(mosquitto.url))
    connection.open()
    assert [each.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0 for each in opened] == [True]
    connection.close()


def test_unchanged_health_is_not_published_again_within_a_minute(
    stopped_mosquitto: Any, make_sink: MakeSink, make_health: MakeHealth, monkeypatch: pytest.MonkeyPatch
) -> None:
    sink, published = make_sink(stopped_mosquitto.url), []
    monkeypatch.setattr(sink.publisher, "retain", lambda topic, payload: published.append(topic))
    for second in range(121):
        sink.report(make_health(time=1_700_000_000.0 + second, fps=float(second), frame_age=second % 2))
    assert published == [sink.topics.health("hall")] * 3


STATS = NodeStats(
    time=1_700_000_060.0, uptime=60.0, provider="CPU", cameras=2, live=1, frames=900, dropped=7, windows=480,
    unknown=360, starts=5, ends=4, latency=LatencyStats(0.02, 0.0456), cpu=0.731, memory=300_000_000,
)  # fmt: skip


def test_the_forecast_of_another_program_is_received(
    mosquitto: Any, make_sink: MakeSink, context: Context, eventually: Eventually
) -> None:
    message = {
        "schema": "harstream.forecast/1", "node": "nuc1", "camera": "hall", "area": None, "activity": "unknown",
        "made_at": "2026-11-20T10:00:00.000Z", "dwell_s": 4.0, "labels_sha": labels_sha(context.contract), "next": None,
        "horizons": [{"horizon_s": 30, "p": {"unknown": 1.0}}],
        "predictor": {"name": "hmm", "version": "1", "trained_until": None},
    }  # fmt: skip
    arguments = ["-t", "har/nuc1/camera/hall/forecast", "-m", json.dumps(message)]
    subprocess.run(["mosquitto_pub", "-p", str(mosquitto.port), "-r", *arguments], check=True)
    forecasts = ForecastCache(context.contract, lambda: 1_795_168_800.0)
    sink = make_sink(mosquitto.url)
    forecasts.subscribe(sink.publisher, sink.topics)
    sink.start()
    eventually(lambda: forecasts.get("hall"), "the forecast that the broker kept")
    assert forecasts.get("hall") == Forecast(1_795_168_800.0, None, "", (), None)


def test_stats_are_published_every_minute(
    mosquitto: Any, subscribe: Any, make_sink: MakeSink, make_health: MakeHealth,
    make_notice: MakeNotice, eventually: Eventually,
) -> None:  # fmt: skip
    subscriber = subscribe(mosquitto.port)
    asked = []
    sink = make_sink(mosquitto.url, stats=lambda: asked.append(1) or STATS)
    sink.handle(make_notice(scores=(0.1, 0.8, 0.1)))  # the sink is not connected yet and drops the observation
    sink.start()
    eventually(lambda: sink.publisher.is_connected, "the connection")
    for second in (0, 1, 59, 60, 61, 119, 120):
        for camera in ("hall", "yard"):
            sink.report(make_health(camera=camera, time=1_700_000_000.0 + second))
    eventually(lambda: len(subscriber.of("har/nuc1/stats")) == 2, "two minutes' stats")
    assert len(asked) == 2
    stats = subscriber.of("har/nuc1/stats")[0]
    assert (stats.qos, stats.retained) == (0, False)
    assert stats.json == {
        "schema": "harstream.stats/1", "node": "nuc1", "at": "2023-11-14T22:14:20.000Z", "uptime_s": 60.0,
        "cameras": {"total": 2, "live": 1}, "frames": 900, "windows": 480, "unknown_share": 0.75,
        "events": {"start": 5, "end": 4}, "dropped": {"frames": 7, "observations": 1, "events": 0}, "waiting": 0,
        "refused": {"messages": 0, "set_aside": 0, "too_large": 0},
        "latency_ms": {"p50": 20.0, "p95": 45.6}, "provider": "CPU", "cpu": 0.73, "memory_bytes": 300_000_000,
    }  # fmt: skip


def test_stats_without_a_connection_do_not_count_as_dropped(
    stopped_mosquitto: Any, make_sink: MakeSink, make_health: MakeHealth
) -> None:
    sink = make_sink(stopped_mosquitto.url, stats=lambda: STATS)
    sink.start(must_connect=False)
    for second in (0, 60, 120):
        sink.report(make_health(time=1_700_000_000.0 + second))
    assert sink.publisher.dropped == 0
