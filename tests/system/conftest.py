"""System tests: the real binary (LOCKGATE=..., else build/release/lockgate) among real programs."""
from parts.fixtures import *  # noqa: F401,F403
