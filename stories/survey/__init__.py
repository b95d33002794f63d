"""The survey about the intensity of actions and the importance of music."""
