"""Reads a network camera over RTSP with PyAV, which distinguishes a wrong password from a wrong path."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

import av
from av.container import InputContainer
from av.error import FFmpegError, HTTPError, HTTPForbiddenError, HTTPNotFoundError, HTTPUnauthorizedError
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from harstream.clips.video import DecodedPicture
from harstream.stream.sources.clock import Clock
from harstream.stream.sources.reconnecting import Pictures
from harstream.wire.errors import SourceError, Trouble
from harstream.wire.masking import masked_address

OPEN_TIMEOUT, READ_TIMEOUT = 5.0, 5.0
OPTIONS = {"rtsp_transport": "tcp", "fpsprobesize": "0"}
"""TCP prevents torn frames. `fpsprobesize: 0` saves the wait for a measured frame rate, which is not used."""
LARGEST_DRIFT = 1.0
"""Seconds by which a camera's own times may differ from the clock before they are anchored again."""

BACKLOG_STEP, LONGEST_BACKLOG = 0.01, 100
"""In a backlog, each frame is at least this many seconds less late than the one before. Longest backlog in frames."""


def rtsp_pictures(url: str, clock: Clock) -> Pictures:
    """Yield (seconds by the clock, picture). Raises SourceError, without the password, if the stream fails or ends."""
    with open_camera(url) as (container, stream):
        yield from timed_pictures(container, stream, clock)
    raise SourceError(f"{masked_address(url)} ended its stream", Trouble.ENDED)


@contextmanager
def open_camera(url: str) -> Iterator[tuple[InputContainer, VideoStream]]:
    """Open a camera and release it afterwards.

    Raises SourceError, without the password, if it cannot be opened or read.
    """
    shown = masked_address(url)
    try:
        with av.open(url, timeout=(OPEN_TIMEOUT, READ_TIMEOUT), options=OPTIONS) as container:
            if not container.streams.video:
                raise SourceError(f"expected video at {shown}, found none in the stream", Trouble.NO_VIDEO)
            stream = container.streams.video[0]
            stream.thread_type = "SLICE"  # with frame threads, each thread delays the stream by one frame
            try:
                yield container, stream
            except av.error.InvalidDataError as error:
                codec = stream.codec_context.name
                said = f"{shown} sends video that cannot be decoded (codec {codec})"
                raise SourceError(said, Trouble.UNDECODABLE) from error
    except (FFmpegError, TimeoutError) as error:
        raise _source_error(error, shown) from error


def timed_pictures(container: InputContainer, stream: VideoStream, clock: Clock) -> Pictures:
    """Yield (seconds by the clock, picture) until the stream ends. The seconds increase.

    Raises FFmpegError, and TimeoutError if the camera stops sending in the middle of a picture.
    """
    anchor, last, heard = Anchor(), float("-inf"), clock.now()
    try:
        for frame, now in after_backlog(container.decode(stream), clock, anchor):
            time = anchor.time(frame.time, now)
            # Around key frames some cameras send a picture without a time, or two with the same time.
            if time > last:
                last = time
                yield time, DecodedPicture(frame)
            heard = clock.now()
    except av.error.InvalidDataError as error:
        if clock.now() - heard < READ_TIMEOUT:
            raise
        raise TimeoutError from error


class Anchor:
    """Converts a camera's own times to the clock's.

    clock:  100.00  100.05  100.08  105.00
    stamp:    0.00    0.04    0.08    3.00     (the camera's clock drifted)
    time:   100.00  100.04  100.08  105.00
    """

    def __init__(self) -> None:
        self._offset: float | None = None

    def time(self, stamp: float | None, now: float) -> float:
        """Return the clock's time of a frame. `stamp`: the camera's time; `now`: the arrival by the clock; seconds."""
        if stamp is None:
            return now
        # A picture cannot arrive before it is taken, so the smallest delay is the best anchor. A camera whose clock
        # drifts or restarts gets a new anchor.
        if self._offset is None or now - stamp < self._offset or now - stamp > self._offset + LARGEST_DRIFT:
            self._offset = now - stamp
        return stamp + self._offset


def after_backlog(frames: Iterable[VideoFrame], clock: Clock, anchor: Anchor) -> Iterator[tuple[VideoFrame, float]]:
    """Yield frames with their arrival time in seconds.

    Frames that the camera sent while the stream opened arrive all at once. They are held until a frame arrives
    without delay, because that frame anchors the others.
    """
    held: list[tuple[VideoFrame, float]] = []
    smallest, is_waiting = float("inf"), True
    for count, frame in enumerate(frames):
        now = clock.now()
        is_waiting = is_waiting and count < LONGEST_BACKLOG
        if is_waiting and frame.time is None:  # some cameras send their first frame without a time
            continue
        held.append((frame, now))
        if is_waiting and frame.time is not None:
            anchor.time(frame.time, now)
            is_waiting, smallest = now - frame.time < smallest - BACKLOG_STEP, min(now - frame.time, smallest)
        if not is_waiting:
            yield from held
            held = []
    yield from held


class _Failure(NamedTuple):
    """How to report a kind of error. `{camera}` is the URL without the password, `{reason}` the error's own text."""

    errors: tuple[type[Exception], ...]
    text: str
    trouble: Trouble = Trouble.OTHER


FAILURES = (
    _Failure(
        (HTTPUnauthorizedError, HTTPForbiddenError),
        "{camera} refuses the user name or password: write them as rtsp://user:password@host/path",
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
        "expected rtsp://user:password@host/path at {camera}: @ : / ? # of a password are %40 %3A %2F %3F %23",
    ),
    _Failure((Exception,), "expected an RTSP stream at {camera}: {reason}"),
)
"""The first that fits is used."""


def _source_error(error: FFmpegError | TimeoutError, shown: str) -> SourceError:
    failure = next(failure for failure in FAILURES if isinstance(error, failure.errors))
    return SourceError(failure.text.format(camera=shown, reason=error.strerror), failure.trouble)
