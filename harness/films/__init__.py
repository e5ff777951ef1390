"""Films of policies: episodes rendered without a window, with captions, side by side."""

from harness.films.files import write_film
from harness.films.film import Film, Player, film

__all__ = ["Film", "Player", "film", "write_film"]
