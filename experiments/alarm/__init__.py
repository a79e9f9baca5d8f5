"""The feature alarm: can a dangerous feature be watched, and can the watch be trusted?"""
