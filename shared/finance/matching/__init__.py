"""Which money belongs to which order, payout and bank line, and what does not tie out: pure, in stages."""
