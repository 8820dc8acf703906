"""Network cameras: RTSP and HTTP, and the times of their pictures."""
