"""MQTT: a broker's address, one connection, a publisher that survives outages, and an embedded broker."""
