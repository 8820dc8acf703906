"""The papers' recipes and ours, trained and measured on the same clips."""
