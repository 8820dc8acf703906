"""Each module holds the helpers of one kind and the fixtures that provide them."""
