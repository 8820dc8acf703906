"""The model, checks, schema and writer of config.yaml."""
