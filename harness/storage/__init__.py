"""The record of a run: one directory (or object-store prefix), every file in it whole or absent. No Ray."""
