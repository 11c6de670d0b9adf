"""What a community of many members far away costs its organiser: a real Home Assistant, a real broker, and a crowd."""
