"""Chat networks on Errbot, and the guard that every command of every backend passes."""
