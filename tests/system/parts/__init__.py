"""The parts that system tests are made of: real programs, scripted peers, and bytes, one noun per file."""
