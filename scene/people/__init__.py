"""The people of the scene: bodies, poses, props and motions."""
