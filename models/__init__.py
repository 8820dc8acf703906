"""What a model is: its contract, sampler, transform and architectures, and the shipped files."""
