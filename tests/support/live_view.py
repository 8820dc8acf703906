"""The live view without a service: its state and its web server, with the contract of a small model."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from harstream.models.contract import ModelContract
from harstream.stream.config.web import WebConfig
from harstream.stream.web.app import ServiceFacts, Site
from harstream.stream.web.server import WebServer
from harstream.stream.web.view_state import ViewState
from harstream.wire.health import Health
from harstream.wire.values import Forecast, Step


class LiveView:
    """Shows steps on the page at `url`. `web`: values of the section `web`. The keywords `more` are fields of Site."""

    def __init__(
        self,
        contract: ModelContract,
        cameras: Sequence[str] = ("hall",),
        *,
        port: int = 0,
        web: Mapping[str, Any] | None = None,
        forecast: Callable[[str | None], Forecast | None] = lambda _: None,
        clock: Callable[[], float] | None = None,
        **more: Any,
    ) -> None:
        self.view = ViewState(cameras, forecast, clock or time.monotonic)
        section = WebConfig.model_validate({"port": port, **(web or {})})
        self._server = WebServer(Site(ServiceFacts(contract, "0.1.0", "CPU"), self.view, section, **more))

    @property
    def url(self) -> str:
        return self._server.url

    @property
    def address(self) -> tuple[str, int]:
        return self._server.address

    def start(self) -> None:
        self._server.start()

    def show(self, step: Step) -> None:
        self.view.show(step)

    def report(self, health: Health) -> None:
        self.view.report(health)

    def close(self) -> None:
        self._server.close()
