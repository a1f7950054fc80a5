"""Who is told of verdicts that change and of runs that end."""
