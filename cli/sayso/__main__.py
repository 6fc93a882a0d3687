"""`python -m sayso`."""

from sayso.main import main

if __name__ == "__main__":
    main()
