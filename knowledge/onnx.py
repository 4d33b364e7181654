"""onnxruntime, told to keep to itself: from 1.29 on it reports each session to its makers, unless told not to."""

import os

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # it looks as it is loaded; telling it later comes too late

import onnxruntime

__all__ = ["onnxruntime"]
