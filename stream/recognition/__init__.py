"""Recognition of activities in frames, without device, thread or clock."""
