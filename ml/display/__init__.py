"""What a player should show of a decoded video: upright, cropped, in square pixels and SDR."""
