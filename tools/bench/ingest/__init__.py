"""What a meter's message costs from broker to entity state: our site, built-in MQTT sensors, and a bare client."""
