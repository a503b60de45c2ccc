"""What `ctidialer check` looks at."""
