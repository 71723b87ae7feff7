"""`kdshift fit`: from a file of one's own texts to a small classifier that ships, with an honest word on its gains."""
