"""Who answers: the teachers that label original and augmented texts."""
