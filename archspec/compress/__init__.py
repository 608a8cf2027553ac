"""What a compressed network weighs: closed forms of what is stored, and plans that say what is done to each layer."""
