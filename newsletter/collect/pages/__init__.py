"""An article's page: its text by a vote of readers, and its title, day, authors, picture and standfirst by rules. Pure."""
