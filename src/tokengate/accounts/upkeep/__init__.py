"""Drops what has served its time: sessions, invitations and session keys that are over."""
