"""Order, poll, batches, chunks, raw answers: advance an uttrekk, safe to repeat."""
