"""What a program needs to go on through failures: outages in the log, waits between attempts, files written whole."""
