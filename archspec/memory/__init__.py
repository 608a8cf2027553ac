"""What activations need in memory at once: how long each is kept, in which order layers run, and the peak."""
