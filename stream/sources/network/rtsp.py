"""Reads a network camera over RTSP with PyAV, which distinguishes a wrong password from a wrong path."""

from __future__ import annotations

import errno
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple

import av
from av.codec.hwaccel import HWAccel
from av.container import InputContainer
from av.error import FFmpegError, HTTPError, HTTPForbiddenError, HTTPNotFoundError, HTTPUnauthorizedError
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from harstream.clips.video import DecodedPicture, best_video_stream, packets
from harstream.stream.sources.address import NetworkCamera
from harstream.stream.sources.clock import Clock
from harstream.stream.sources.network.camera_times import Anchor, after_backlog
from harstream.stream.sources.reconnecting import Pictures
from harstream.wire.errors import SourceError, Trouble
from harstream.wire.masking import masked_address

OPEN_TIMEOUT, READ_TIMEOUT = 5.0, 5.0
TIMEOUTS = (OPEN_TIMEOUT, READ_TIMEOUT)
OPTIONS = {"fpsprobesize": "0"}
"""It saves the wait for a measured frame rate, which is not used."""
LOGIN = "user:password@host/path, with @ : / ? # % of a password as %40 %3A %2F %3F %23 %25"
UNDECODABLE = 3.0
"""Seconds without a picture that can be decoded after which the camera is opened again."""
log = logging.getLogger(__name__)


def rtsp_pictures(camera: NetworkCamera, clock: Clock, device: str | None = None) -> Pictures:
    """Yield (seconds by the clock, picture). Raises SourceError, without the password, if the stream fails or ends.

    `device`: the kind of a hardware decoder; None: the processor decodes.
    """
    with open_rtsp(camera, device) as (container, stream):
        yield from timed_pictures(container, stream, clock)
    raise SourceError(f"{masked_address(camera.url)} ended its stream", Trouble.ENDED)


@contextmanager
def open_rtsp(camera: NetworkCamera, device: str | None = None) -> Iterator[tuple[InputContainer, VideoStream]]:
    """Open a camera over TCP, which tears no pictures, or over UDP. Raises the errors of `open_camera`."""
    url = camera.url
    try:
        transport = "udp" if camera.transport == "udp" else "tcp"
        with open_camera(url, {"rtsp_transport": transport}, device) as opened:
            yield opened
    except SourceError as error:
        refused = isinstance(error.__cause__, OSError) and error.__cause__.errno == errno.EPROTONOSUPPORT
        if camera.transport != "auto" or not refused:
            raise
        log.info("%s refuses TCP, so UDP is used, which may lose pictures", masked_address(url))
        with open_camera(url, {"rtsp_transport": "udp"}, device) as opened:
            yield opened


@contextmanager
def open_camera(
    url: str, options: Mapping[str, str], device: str | None = None
) -> Iterator[tuple[InputContainer, VideoStream]]:
    """Open a camera and release it afterwards.

    `options`: FFmpeg's, for this kind of camera. `device`: the kind of a hardware decoder; None: the processor.

    Raises SourceError, without the password, if it cannot be opened or read.
    """
    shown = masked_address(url)
    try:
        decoder = None if device is None else HWAccel(device)
        with av.open(
            url, timeout=TIMEOUTS, options=OPTIONS | dict(options), metadata_errors="replace", hwaccel=decoder
        ) as container:
            if (stream := best_video_stream(container)) is None:
                raise SourceError(
                    f"expected video at {shown}, found none in the stream: check the path after the host name in the "
                    "camera's manual",
                    Trouble.NO_VIDEO,
                )
            stream.thread_type = "SLICE"  # with frame threads, each thread delays the stream by one frame
            try:
                yield container, stream
            except av.error.InvalidDataError as error:
                codec = stream.codec_context.name
                said = f"{shown} sends video that cannot be decoded (codec {codec})"
                raise SourceError(said, Trouble.UNDECODABLE) from error
    except (FFmpegError, TimeoutError) as error:
        raise _source_error(error, shown) from error


def timed_pictures(
    container: InputContainer, stream: VideoStream, clock: Clock, anchor: Anchor | None = None
) -> Pictures:
    """Yield (seconds by the clock, picture) until the stream ends. The seconds increase.

    Raises FFmpegError, and TimeoutError if the camera stops sending in the middle of a picture.
    """
    anchor, last, heard = anchor or Anchor(), float("-inf"), clock.now()
    try:
        for frame, now in after_backlog(decoded_frames(container, stream, clock), clock):
            time = anchor.time(frame.time, now)
            if time > last:  # two pictures of one burst may have no times of their own
                last = time
                yield time, DecodedPicture(frame)
            heard = clock.now()
    except av.error.InvalidDataError as error:
        if clock.now() - heard < READ_TIMEOUT:
            raise
        raise TimeoutError from error


def decoded_frames(container: InputContainer, stream: VideoStream, clock: Clock) -> Iterator[VideoFrame]:
    """Yield the pictures and skip those that cannot be decoded.

    Raises InvalidDataError if no picture could be decoded for UNDECODABLE seconds.
    """
    skipped, decoded_at = 0, clock.now()
    try:
        for packet in packets(container, stream):
            try:
                frames = packet.decode()
            except av.error.InvalidDataError:
                if clock.now() - decoded_at > UNDECODABLE:
                    raise
                if skipped == 0:
                    log.warning("%s: a picture cannot be decoded and is skipped", masked_address(container.name))
                skipped += 1
                continue
            for frame in frames:
                yield frame
                decoded_at = clock.now()
    finally:
        if skipped:
            log.info("%s: %d pictures could not be decoded", masked_address(container.name), skipped)


class _Failure(NamedTuple):
    """How to report a kind of error. `{camera}` is the masked URL, `{reason}` the error's own text."""

    errors: tuple[type[Exception], ...]
    text: str
    trouble: Trouble = Trouble.OTHER
    schemes: tuple[str, ...] = ()
    """Only for addresses of these schemes; empty: for all."""


FAILURES = (
    _Failure(
        (HTTPUnauthorizedError, HTTPForbiddenError),
        f"{{camera}} refuses the user name or password: write them as {{scheme}}://{LOGIN}",
        Trouble.LOGIN_REFUSED,
    ),
    _Failure(
        (HTTPNotFoundError,),
        "{camera} has no such stream: check the path after the host name in the camera's manual",
        Trouble.NO_SUCH_STREAM,
    ),
    _Failure((HTTPError,), "{camera} answers with an error: {reason}"),
    _Failure(
        (TimeoutError, av.error.ExitError),
        f"{{camera}} gave nothing for {READ_TIMEOUT:.0f} seconds: check the address and the network",
        Trouble.TIMEOUT,
    ),
    _Failure(
        (ConnectionRefusedError,),
        "nothing listens at {camera}: check the address and port, and that the camera is on",
        Trouble.UNREACHABLE,
    ),
    _Failure(
        (av.error.ArgumentError,),
        f"{{camera}} redirects to an address that is neither http nor https, or it is not {{scheme}}://{LOGIN}: open "
        "it in a browser, and write the address to which it leads",
        schemes=("http", "https"),
    ),
    _Failure(
        (av.error.ArgumentError,),
        f"expected {{scheme}}://{LOGIN}, got {{camera}}",
    ),
    _Failure((Exception,), "expected a video stream at {camera}: {reason}"),
)
"""The first that fits is used."""


def _source_error(error: FFmpegError | TimeoutError, shown: str) -> SourceError:
    scheme = shown.partition(":")[0].lower()
    failure = next(
        failure
        for failure in FAILURES
        if isinstance(error, failure.errors) and (not failure.schemes or scheme in failure.schemes)
    )
    return SourceError(failure.text.format(camera=shown, scheme=scheme, reason=error.strerror), failure.trouble)
