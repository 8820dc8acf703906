"""A connection to a broker: its address, login, certificates, and what is wrong if it fails."""
