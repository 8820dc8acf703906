"""A Keras model to verified ONNX files: the whole window, and encoder and head for streams."""
