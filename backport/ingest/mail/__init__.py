"""Series as they were posted: reading mails, grouping them, linking their revisions, and making commits of them."""
