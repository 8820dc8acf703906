"""Reads a network camera over HTTP: MJPEG, a still JPEG that changes, or HLS."""

from __future__ import annotations

import threading

from av.container import InputContainer
from av.video.stream import VideoStream

from harstream.clips.video import DecodedPicture
from harstream.stream.sources.clock import Clock
from harstream.stream.sources.network.rtsp import READ_TIMEOUT, decoded_frames, open_camera, timed_pictures
from harstream.stream.sources.playback_clock import PlaybackClock
from harstream.stream.sources.reconnecting import Pictures
from harstream.wire.errors import SourceError, Trouble
from harstream.wire.masking import masked_address

LONGEST_STEP = 2.0
"""Seconds between two pictures of HLS above which its times begin anew."""
STILL_PERIOD = 0.1
"""Shortest time between two requests for a still picture, in seconds."""


def http_pictures(url: str, clock: Clock, stopping: threading.Event) -> Pictures:
    """Yield (seconds by the clock, picture) until `stopping` is set.

    Raises SourceError, without the password, if the stream fails or ends.
    """
    with open_camera(url, {}) as (container, stream):
        kind = container.format.name
        if kind.startswith("hls"):
            yield from _paced(container, stream, clock, stopping)
        elif kind == "mpjpeg":  # it contains no times, and FFmpeg invents 25 pictures per second
            yield from ((clock.now(), DecodedPicture(frame)) for frame in decoded_frames(container, stream, clock))
        elif not _is_still(kind):
            yield from timed_pictures(container, stream, clock)
    if _is_still(kind):
        yield from _stills(url, clock, stopping)
    if not stopping.is_set():
        raise SourceError(f"{masked_address(url)} ended its stream", Trouble.ENDED)


def _is_still(kind: str) -> bool:
    return kind.endswith("_pipe") or kind.startswith("image2")


def _stills(url: str, clock: Clock, stopping: threading.Event) -> Pictures:
    """Request one picture after the other. A request may fail while others succeed."""
    seen = clock.now()
    while True:
        asked = clock.now()
        try:
            with open_camera(url, {}) as (container, stream):
                for frame in container.decode(stream):
                    seen = clock.now()
                    yield seen, DecodedPicture(frame)
        except SourceError as error:
            if error.trouble is Trouble.LOGIN_REFUSED or clock.now() - seen > READ_TIMEOUT:
                raise
        if stopping.wait(max(0.0, asked + STILL_PERIOD - clock.now())):
            return


def _paced(container: InputContainer, stream: VideoStream, clock: Clock, stopping: threading.Event) -> Pictures:
    """Play HLS at its own pace. It comes in files of some seconds, each at once, so arrivals say nothing."""
    playback, first = PlaybackClock(clock), 0.0
    last = float("-inf")
    for frame in decoded_frames(container, stream, clock):
        if frame.time is None:
            continue
        if not 0 < frame.time - last < LONGEST_STEP:
            first = frame.time
            playback.begin()
        last = frame.time
        if not playback.wait(last - first, stopping):
            return
        yield playback.start + last - first, DecodedPicture(frame)
