"""What processing elements and workflows exist."""
