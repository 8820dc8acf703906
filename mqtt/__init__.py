"""A broker: its address, one connection, a publisher that survives outages, and a broker of our own."""
