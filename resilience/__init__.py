"""Tools against failures: outages in the log, waits between attempts, files that are written atomically."""
