"""The words every other folder uses; imports nothing of ours."""
