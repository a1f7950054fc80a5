"""What the gateway tells Prometheus about itself, a module for each subject."""
