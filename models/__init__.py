"""What a model is: its contract, its transform, its architectures and the shipped files."""
