"""The synthetic register: population, documents, server, faults.

It behaves as the register's documentation says, and is what newcomers try the software on. It
shares nothing with the client but the contract's compiler and the identifiers.
"""

from freg_pipeline.synthetic.kept import default_folder
from freg_pipeline.synthetic.options import RegisterOptions
from freg_pipeline.synthetic.server import SyntheticRegister, xsd
from freg_pipeline.synthetic.serving import running, serve

__all__ = ["RegisterOptions", "SyntheticRegister", "default_folder", "running", "serve", "xsd"]
