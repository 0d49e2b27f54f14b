"""Pure decisions: rules, gate, quorum, windows, freezes, sizes."""
