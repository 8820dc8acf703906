"""Real-time recognition of what people do, from ordinary cameras. Its packages are links to the folders beside it."""

import os

# ONNX Runtime's builds for Linux begin, when they are imported, to keep what they are used for in the home folder, and
# to send it to their maker; a call after the import comes too late. Source: ONNX Runtime, docs/Privacy.md
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
