"""``python -m flowquake``."""

from flowquake.cli import main

if __name__ == "__main__":
    main()
