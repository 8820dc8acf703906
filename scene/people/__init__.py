"""People who are drawn: bodies, poses, props, and what they do."""
