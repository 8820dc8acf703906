"""Records what the networks of a model make of labelled clips, for the training of a head."""
