"""`harstream config`: writes, checks and explains config.yaml, and copies the files for a deployment."""
