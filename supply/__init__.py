"""What an image is made of: its files by hash, its bill of materials, what is known against it."""

from pathlib import Path

ROOT = Path(__file__).parent.parent
RUN = ROOT / "constraints-hashed.txt"
BUILD = ROOT / "constraints-hashed-build.txt"
