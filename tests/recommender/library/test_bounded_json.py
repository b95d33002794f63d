import io
import json
import tracemalloc

import pytest

from recommender.errors import ImportFailedError
from recommender.library.importing.spotify_export import history_items, library_items


@pytest.mark.parametrize(
    "content",
    ["[" * 200_000, '{"tracks":' * 60, "[" + json.dumps({"x": list(range(500_000))}) + "]"],
    ids=["nested-lists", "nested-objects", "huge-item"],
)
def test_json_that_would_fill_the_memory_is_refused_early(content: str) -> None:
    tracemalloc.start()
    with pytest.raises(ImportFailedError, match="damaged"):
        list(history_items([lambda: io.BytesIO(content.encode())]))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 30 * 1024**2


def test_brackets_and_quotes_in_titles_are_no_nesting() -> None:
    row = {"track": '[[[{{ " [ \\', "artist": "A", "uri": ""}
    content = json.dumps({"tracks": [row] * 1000}).encode()
    assert len(list(library_items(io.BytesIO(content)))) == 1000
