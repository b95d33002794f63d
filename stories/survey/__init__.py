"""What people think of the actions' intensity and of music: asked once, changeable, counted."""
