"""How well `harstream teach` learns new activities from a few clips."""
