"""`python -m newsletter` is the same as the console script `newsletter`."""

from newsletter.cli import main

if __name__ == "__main__":
    main()
