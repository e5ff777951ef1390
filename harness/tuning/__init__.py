"""Schedules trials with Ray, and restarts those of a lost machine; only this package imports Ray."""
