"""What goes over the wire: values, messages, topics, and their schemas."""
