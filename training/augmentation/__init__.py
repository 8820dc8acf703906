"""Changes training windows at random, as other cameras, rooms and nights would."""
