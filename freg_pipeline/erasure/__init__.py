"""What is held about persons, and removing it: from whatever the store keeps."""
