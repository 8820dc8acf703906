"""MQTT: broker address, connection, a publisher that survives outages, and an embedded broker."""
