"""A dist-git folder (spec, patches, config files, sources) as a branch, and a branch as a dist-git folder."""
