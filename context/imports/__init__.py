"""From an import to the files it means: of the workspace, or of installed packages."""
