"""The words everything else is said in. Standard library only; frozen; no input or output."""
