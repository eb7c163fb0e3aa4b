"""Which articles of different sources tell one story. `compare` reads and writes rows; the others decide."""
