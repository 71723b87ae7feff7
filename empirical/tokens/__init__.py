"""Texts as token ids: batches, corpora, the codec between text and ids, which ids are ordinary words."""
