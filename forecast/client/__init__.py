"""The forecaster of one node: an MQTT client that follows its cameras and publishes what it expects."""
