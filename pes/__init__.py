"""The library of processing elements, by subject."""
