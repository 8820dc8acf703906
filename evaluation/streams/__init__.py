"""Events on long streams of clips: shown, measured, tuned."""
