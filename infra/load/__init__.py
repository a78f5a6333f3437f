"""Traffic that waits for nobody, a crash in its middle, and an account of every single delivery at the end."""
