"""From an import to the files it means: of the workspace, or of installed packages.

workspace   what is asked of the files, and where packages are installed
resolver    the one to ask
target      its answers
python, javascript, golang, rust, jvm, headers, scripts
            how each language looks for what it imports
"""

from .resolver import Resolver
from .target import Target
from .workspace import Environment, ListedWorkspace, Workspace

__all__ = ["Environment", "ListedWorkspace", "Resolver", "Target", "Workspace"]
