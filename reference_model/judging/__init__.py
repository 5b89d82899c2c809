"""How texts are judged: words read in spite of their spelling, features, training."""
