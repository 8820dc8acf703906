"""What tests start and make: each module holds its classes and the fixtures that give them."""
