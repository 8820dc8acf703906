"""config.yaml: its model, its checks, its schema, and how it is written."""
