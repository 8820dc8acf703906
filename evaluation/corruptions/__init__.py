"""What a model loses in front of other cameras, in other rooms and at night."""
