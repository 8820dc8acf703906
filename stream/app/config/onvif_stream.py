"""Asks which stream of an ONVIF camera config.yaml gets."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape
from rich.prompt import Prompt

from harstream.stream.app.onvif_cameras import NOT_INSTALLED, ask_password, is_installed
from harstream.stream.sources.network.onvif_device import OnvifCamera, OnvifDevice, OnvifStream
from harstream.wire.errors import SourceError, Trouble


def ask_for_stream(console: Console, text: str) -> str | None:
    """Return the address, with the login, of the recommended stream of onvif://...; None after an error line.

    It asks for user and password if the camera does. Raises Misfit, EOFError and KeyboardInterrupt.
    """
    if not is_installed():
        console.print(escape(f"  {NOT_INSTALLED}"))
        return None
    answer = _asked(console, OnvifDevice.parse(text))
    console.print(escape(f"  {answer}"))
    return _chosen(console, answer.recommended).camera.url if isinstance(answer, OnvifCamera) else None


def _asked(console: Console, device: OnvifDevice) -> OnvifCamera | SourceError:
    from harstream.stream.sources.network.onvif import ask_cameras

    (answer,) = ask_cameras([device])
    if not isinstance(answer, SourceError) or answer.trouble is not Trouble.LOGIN_REFUSED or device.user:
        return answer
    user = Prompt.ask("User name for the camera", console=console).strip()
    (answer,) = ask_cameras([device.with_login(user, ask_password(user))])
    return answer


def _chosen(console: Console, streams: tuple[OnvifStream, ...]) -> OnvifStream:
    """Return the stream; of a recorder with several cameras, ask for the camera."""
    if len(streams) == 1:
        return streams[0]
    for number, stream in enumerate(streams, 1):
        console.print(escape(f"  {number}: {stream.profile}"))
    numbers = [str(number) for number in range(1, len(streams) + 1)]
    return streams[int(Prompt.ask("Which of its cameras", choices=numbers, default="1", console=console)) - 1]
