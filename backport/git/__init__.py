"""The one place that talks to git: objects, trees, history, merges. Nobody else starts it."""
