"""What the records of the journal add up to. Pure: it neither reads nor writes the journal."""
