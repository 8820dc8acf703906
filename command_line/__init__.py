"""Options from dataclasses and one-line errors, for the commands of all packages."""
