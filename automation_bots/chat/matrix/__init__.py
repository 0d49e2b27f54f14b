"""Matrix: matrix-nio, with end-to-end encryption."""
