"""What the parts do when the world breaks in on them: kills, full disks, lost connections."""
