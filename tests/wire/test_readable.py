"""What a person sees of the messages, also of those that strangers send."""
