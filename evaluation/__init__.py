"""An exported model on labelled clips: metrics and report. Runs the real pipeline, needs no TensorFlow."""
