"""What is in a C file: tokens, a quick outline, a full masked parse; include closures; the index keyed by blob id."""
