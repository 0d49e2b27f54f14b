"""Pure helpers on text, each named by its idea."""
