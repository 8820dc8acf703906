"""Serves the pictures of a video file over RTSP at /camera, as a network camera does, and prints its port.

It needs the system's Python, which has GStreamer (apt install gir1.2-gst-rtsp-server-1.0 python3-gi ffmpeg):

    /usr/bin/python3 rtsp_server.py film.mp4 --loop --codec mjpeg --login anna:secret --digest
"""

from __future__ import annotations

import argparse
import subprocess
import tempfile
from pathlib import Path

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtsp", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import Gio, GLib, Gst, GstRtsp, GstRtspServer  # noqa: E402  (only now is the version chosen)

PICTURES = (
    'multifilesrc location={folder}/%05d.jpg start-index=1 loop={loop} caps="image/jpeg,framerate={rate}/1" ! jpegdec'
)
ENCODERS = {
    "h264": PICTURES + " ! videoconvert ! video/x-raw,format=I420 ! x264enc tune=zerolatency speed-preset=ultrafast "
    "key-int-max=10 sliced-threads=false ! h264parse ! rtph264pay name=pay0 pt=96 config-interval=-1",
    "h265": PICTURES + " ! videoconvert ! video/x-raw,format=I420 ! x265enc tune=zerolatency speed-preset=ultrafast "
    "key-int-max=10 ! h265parse ! rtph265pay name=pay0 pt=96 config-interval=-1",
    "mjpeg": PICTURES + " ! videoconvert ! video/x-raw,format=I420 ! jpegenc ! rtpjpegpay name=pay0 pt=26",
    "audio": "audiotestsrc is-live=true ! alawenc ! rtppcmapay name=pay0 pt=8",
}


def main() -> None:
    options = _options()
    Gst.init(None)
    with tempfile.TemporaryDirectory() as folder:
        if options.codec != "audio":
            pictures = ["-i", str(options.video), "-r", str(options.rate), "-q:v", "3", f"{folder}/%05d.jpg"]
            subprocess.run(["ffmpeg", "-nostdin", "-v", "error", *pictures], check=True)
        server = GstRtspServer.RTSPServer()
        server.set_address("127.0.0.1")
        server.set_service(str(options.port))
        factory = GstRtspServer.RTSPMediaFactory()
        loop = str(options.loop).lower()
        factory.set_launch(f"( {ENCODERS[options.codec].format(folder=folder, loop=loop, rate=options.rate)} )")
        if options.tls:
            _use_tls(server, factory, options.tls)
        if options.login:
            _require_login(server, factory, *options.login.split(":", 1), digest=options.digest)
        factory.set_shared(options.shared)
        if options.udp_only:
            factory.set_protocols(GstRtsp.RTSPLowerTrans.UDP)
        server.get_mount_points().add_factory("/camera", factory)
        if not server.attach(None):
            raise SystemExit(f"cannot listen on port {options.port}")
        print(server.get_bound_port(), flush=True)
        GLib.MainLoop().run()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("video", type=Path)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--codec", choices=ENCODERS, default="h264")
    parser.add_argument("--rate", type=int, default=25, help="pictures a second")
    parser.add_argument("--loop", action="store_true")
    parser.add_argument("--shared", action="store_true", help="one encoding for all viewers")
    parser.add_argument("--udp-only", action="store_true", help="refuse RTSP over TCP")
    parser.add_argument("--tls", help="file with key and certificate: serve rtsps://")
    parser.add_argument("--login", help="user:password")
    parser.add_argument("--digest", action="store_true")
    return parser.parse_args()


def _use_tls(server: GstRtspServer.RTSPServer, factory: GstRtspServer.RTSPMediaFactory, file: str) -> None:
    auth = GstRtspServer.RTSPAuth()
    auth.set_tls_certificate(Gio.TlsCertificate.new_from_file(file))
    auth.set_tls_authentication_mode(Gio.TlsAuthenticationMode.NONE)
    token = GstRtspServer.RTSPToken()
    token.set_string("media.factory.role", "viewer")
    auth.set_default_token(token)
    server.set_auth(auth)
    factory.set_permissions(_viewer_permissions())


def _viewer_permissions() -> GstRtspServer.RTSPPermissions:
    permissions = GstRtspServer.RTSPPermissions()
    permissions.add_role("viewer")
    for what in ("media.factory.access", "media.factory.construct"):
        permissions.add_permission_for_role("viewer", what, True)
    return permissions


def _require_login(
    server: GstRtspServer.RTSPServer,
    factory: GstRtspServer.RTSPMediaFactory,
    user: str,
    password: str,
    *,
    digest: bool,
) -> None:
    token = GstRtspServer.RTSPToken()
    token.set_string("media.factory.role", "viewer")
    auth = GstRtspServer.RTSPAuth()
    if digest:
        auth.set_supported_methods(GstRtsp.RTSPAuthMethod.DIGEST)
        auth.add_digest(user, password, token)
    else:
        auth.add_basic(GstRtspServer.RTSPAuth.make_basic(user, password), token)
    server.set_auth(auth)
    factory.set_permissions(_viewer_permissions())


if __name__ == "__main__":
    main()
