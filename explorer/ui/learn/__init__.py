"""Learn: the path, as a bar at the top of every page, and the measurements that answer its questions."""
