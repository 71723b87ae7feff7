"""Teachers and students as networks: encoder, BiLSTM, EncT5; loading and saving."""
