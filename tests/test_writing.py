import os

import pytest

from harness.writing import NotWrittenError, write_text


@pytest.mark.parametrize("kind", ["pipe", "device"])
def test_write_to_a_pipe_or_device_raises_and_keeps_it(tmp_path, kind):
    path = tmp_path / "table.csv"
    if kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to("/dev/null")
    with pytest.raises(NotWrittenError, match=r"table.csv: not a regular file"):
        write_text(path, "1")
    assert path.is_fifo() if kind == "pipe" else path.is_symlink()
    assert list(tmp_path.iterdir()) == [path]
