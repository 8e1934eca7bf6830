"""The same outcome told to a person and to a CI job. Reads only the model."""
