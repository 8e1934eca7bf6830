"""The job that runs by itself: new postings of followed series, what became of them, and what was fixed in them since."""
