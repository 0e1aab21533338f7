"""The work of training: images, samples, poisons, trainers, weights."""
