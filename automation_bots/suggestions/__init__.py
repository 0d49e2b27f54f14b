"""What was meant by words that are no command: other tools' words, typing mistakes, words in another order."""
