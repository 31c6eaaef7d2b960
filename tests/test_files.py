from __future__ import annotations

import errno
import gzip
import hashlib
import io
import os
import resource
import signal
import threading
import zipfile
import zlib
from pathlib import Path
from typing import BinaryIO

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from valueaudit.errors import InputError, NothingToAuditError, OutputError, StorageError
from valueaudit.files import check_inputs, find_inputs, open_logs, open_source
from valueaudit.unpack import Tap, unpack
from valueaudit.writing import RecordsFile, append_whole, check_writable, write_new, write_whole

# the same examples on every machine, and no clock: a slow machine is no failure
steady = settings(deadline=None, derandomize=True)
NO_STDIN = io.BytesIO()
LINES = b"".join(
    b'{"n": %d, "text": "%s"}\n' % (n, hashlib.sha256(b"%d" % n).hexdigest().encode()) for n in range(5000)
)
needs_full_device = pytest.mark.skipif(not os.path.exists("/dev/full"), reason="only Linux has /dev/full")
needs_permissions = pytest.mark.skipif(os.geteuid() == 0, reason="root may read and write everything")


class UnreadableStdin(io.BytesIO):
    """Fails as standard input does where the shell made a folder of it."""

    def read1(self, size: int | None = -1, /) -> bytes:
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))


def zstd(content: bytes) -> bytes:
    """One zstd frame."""
    return zstandard.ZstdCompressor(write_checksum=True).compress(content)


PACKERS = pytest.mark.parametrize("pack", [gzip.compress, zstd], ids=["gzip", "zstd"])


def put(folder: Path, *names: str) -> None:
    """Makes small logs of these names."""
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"{}\n")


def read_until_damage(stream: BinaryIO) -> tuple[bytes, str]:
    """The lines that could be read, and how the damage was told."""
    got: list[bytes] = []
    try:
        got.extend(iter(stream.readline, b""))
    except OSError as error:
        return b"".join(got), str(error)
    return b"".join(got), ""


def write_records(path: str, lines: bytes, *, commit: bool) -> None:
    """One records file from opening to leaving."""
    with RecordsFile(path) as records:
        records.write(lines)
        if commit:
            records.commit()


@pytest.fixture(autouse=True)
def _in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_folder_is_searched_for_logs(tmp_path: Path) -> None:
    """A folder gives its logs with their subfolders in sorted order; hidden names and other files are left out."""
    put(
        tmp_path,
        "d/b.jsonl",
        "d/a.NDJSON",
        "d/s/c.jsonl.gz",
        "d/s/d.ndjson.zst",
        "d/e.json",
        "d/e.txt",
        "d/.f.jsonl",
        "d/.g/h.jsonl",
    )
    assert find_inputs(["d"]) == ("d/a.NDJSON", "d/b.jsonl", "d/e.json", "d/s/c.jsonl.gz", "d/s/d.ndjson.zst")


def test_files_globs_and_stdin_keep_their_order(tmp_path: Path) -> None:
    """Names come as they were given; a glob is sorted, and a folder it matches is searched."""
    put(tmp_path, "z.txt", "d/b.jsonl", "d/a.jsonl", "d/x/c.jsonl", "d/x/c.txt")
    assert find_inputs(["z.txt", "-", "d/*", "-"]) == ("z.txt", "-", "d/a.jsonl", "d/b.jsonl", "d/x/c.jsonl")


def test_each_file_is_read_once(tmp_path: Path) -> None:
    """A file that is named twice, in another way or through a link, is found once under its first name."""
    put(tmp_path, "d/a.jsonl")
    (tmp_path / "link.jsonl").symlink_to("d/a.jsonl")
    assert find_inputs(["./d/a.jsonl", "d", "d/*.jsonl", "link.jsonl"]) == ("./d/a.jsonl",)


def test_name_with_glob_characters_is_a_name_first(tmp_path: Path) -> None:
    """A file whose own name holds brackets is found without globbing."""
    put(tmp_path, "log[1].jsonl")
    assert find_inputs(["log[1].jsonl"]) == ("log[1].jsonl",)


@pytest.mark.parametrize(
    ("path", "help"),
    [
        ("d/chat.jsnl", 'did you mean "d/chat.jsonl"?'),
        ("dd/chat.jsonl", 'did you mean "d"?'),
        ("d/chat.jsonl/x", 'did you mean "d/chat.jsonl"?'),
        ("d/zzz", 'folder "d" holds nothing of a similar name; check the spelling and the working folder'),
        ("d/*.csv", 'folder "d" holds "chat.jsonl"'),
        ("e/*.csv", 'folder "e" holds nothing'),
        ("dd/*.csv", 'did you mean "d"?'),
    ],
)
def test_missing_path_suggests_the_nearest(tmp_path: Path, path: str, help: str) -> None:
    """A path or glob that finds nothing is an error that names what is there instead."""
    put(tmp_path, "d/chat.jsonl")
    (tmp_path / "e").mkdir()
    with pytest.raises(InputError, match=r"no such file or folder|no file matches") as caught:
        find_inputs([path])
    assert path in caught.value.message
    assert caught.value.help == help


def test_nothing_to_audit_unless_allowed(tmp_path: Path) -> None:
    """An empty folder and an empty list are errors, and nothing when the caller allows it."""
    put(tmp_path, "d/a.txt", "a.jsonl")
    with pytest.raises(NothingToAuditError, match='no chat logs in folder "d"'):
        find_inputs(["a.jsonl", "d"])
    with pytest.raises(NothingToAuditError, match="no input was given"):
        find_inputs([])
    assert find_inputs(["a.jsonl", "d"], allow_empty=True) == ("a.jsonl",)
    assert find_inputs([], allow_empty=True) == ()


def test_dangling_link_is_an_error(tmp_path: Path) -> None:
    """A link to nothing is told before the run, with its own name."""
    (tmp_path / "link.jsonl").symlink_to("nowhere")
    with pytest.raises(InputError, match=r'cannot read "link\.jsonl": no such file'):
        find_inputs(["link.jsonl"])


@needs_permissions
def test_folder_that_may_not_be_read_is_an_error(tmp_path: Path) -> None:
    """A subfolder without permission is told, not left out."""
    put(tmp_path, "d/a.jsonl", "d/s/b.jsonl")
    (tmp_path / "d/s").chmod(0)
    with pytest.raises(InputError, match="permission denied"):
        find_inputs(["d"])
    (tmp_path / "d/s").chmod(0o700)


def test_plain_file_is_counted_and_hashed(tmp_path: Path) -> None:
    """Bytes grow while reading, and the digest comes with the end."""
    (tmp_path / "a.jsonl").write_bytes(LINES)
    with open_source("a.jsonl", NO_STDIN) as source:
        assert (source.name, source.sha256) == ("a.jsonl", None)
        assert source.stream.readline() == LINES.splitlines(keepends=True)[0]
        assert 0 < source.bytes_read <= len(LINES)
        source.stream.read()
        assert source.bytes_read == len(LINES)
        assert source.sha256 == hashlib.sha256(LINES).hexdigest()


@PACKERS
def test_packed_file_by_its_bytes(tmp_path: Path, pack: object) -> None:
    """Several members under any name are read to the end; the digest is that of the bytes on disk."""
    assert callable(pack)
    packed = pack(LINES[:70_000]) + pack(b"") + pack(LINES[70_000:])
    (tmp_path / "a.jsonl").write_bytes(packed)
    with open_source("a.jsonl", NO_STDIN) as source:
        assert source.stream.read() == LINES
        assert source.sha256 == hashlib.sha256(packed).hexdigest()
        assert source.bytes_read == len(packed)


def test_gzip_padding_and_zstd_skippable_frames() -> None:
    """Zeros after a gzip member and skippable zstd frames hold no data and do no harm."""
    skippable = b"\x50\x2a\x4d\x18\x04\0\0\0abcd"
    for packed in (gzip.compress(LINES) + bytes(20_000), skippable + zstd(LINES) + skippable):
        assert unpack(Tap(io.BytesIO(packed).read)).read() == LINES


@PACKERS
def test_cut_file_gives_what_it_holds(tmp_path: Path, pack: object) -> None:
    """A file that ends inside its compressed data gives what came before, then says so, again and again."""
    assert callable(pack)
    whole = pack(LINES[:100_000])
    (tmp_path / "a.gz").write_bytes(whole + pack(LINES[100_000:])[:-20])
    with open_source("a.gz", NO_STDIN) as source:
        got, words = read_until_damage(source.stream)
        assert len(got) > 100_000 - len(LINES) // 5000
        assert LINES.startswith(got)
        assert words == "the file ends in the middle of its compressed data"
        assert read_until_damage(source.stream) == (b"", words)


@PACKERS
@steady
@given(cut=st.integers(min_value=4, max_value=1000))
def test_cut_anywhere_is_told(pack: object, cut: int) -> None:
    """Wherever a packed file is cut, the damage is told and nothing is invented."""
    assert callable(pack)
    packed = pack(LINES[:5000])
    cut = min(cut, len(packed) - 1)
    got, words = read_until_damage(unpack(Tap(io.BytesIO(packed[:cut]).read)))
    assert LINES.startswith(got)
    assert words == "the file ends in the middle of its compressed data"


@PACKERS
def test_foreign_bytes_after_the_data_are_told(pack: object) -> None:
    """Bytes after the last member that are none are damage, not the end."""
    assert callable(pack)
    got, words = read_until_damage(unpack(Tap(io.BytesIO(pack(LINES) + b"{}garbage").read)))
    assert got == LINES
    assert words.startswith("the compressed data cannot be read further: ")


def test_damage_from_the_start_is_not_a_wrong_format(tmp_path: Path) -> None:
    """A gzip file that is damaged at once opens, because its damage is a bad record."""
    (tmp_path / "a.jsonl.gz").write_bytes(b"\x1f\x8b\x08\0" + b"\xff" * 40)
    check_inputs(["a.jsonl.gz"])
    with open_source("a.jsonl.gz", NO_STDIN) as source:
        assert read_until_damage(source.stream)[1].startswith("the compressed data cannot be read further")


def test_standard_input_that_cannot_be_read() -> None:
    """A folder as standard input is an input error, not a crash."""
    with pytest.raises(InputError, match='cannot read "-": is a directory'):
        open_source("-", UnreadableStdin())


def test_standard_input_is_not_closed() -> None:
    """Standard input may be packed, and stays open."""
    stdin = io.BytesIO(gzip.compress(LINES))
    with open_source("-", stdin) as source:
        assert source.name == "-"
        assert source.stream.read() == LINES
        assert source.sha256 == hashlib.sha256(stdin.getvalue()).hexdigest()
    assert not stdin.closed


def test_pipe_is_read_as_it_comes() -> None:
    """Bytes that trickle through a pipe are joined before their kind is told, and lines come before the end."""
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as stdin, os.fdopen(writing, "wb", buffering=0) as feed:
        feed.write(b"{")
        threading.Timer(0.05, feed.write, (b"}\n{}\n",)).start()
        with open_source("-", stdin) as source:
            assert source.stream.readline() == b"{}\n"


def test_named_pipe_is_an_input(tmp_path: Path) -> None:
    """A named pipe is not opened by the check, and read."""
    os.mkfifo(tmp_path / "pipe")
    check_inputs(["pipe", "-"])
    feeder = threading.Thread(target=lambda: (tmp_path / "pipe").write_bytes(LINES))
    feeder.start()
    with open_source("pipe", NO_STDIN) as source:
        assert source.stream.read() == LINES
    feeder.join()


@pytest.mark.parametrize("content", [b"", b"{", b"\n", "é".encode()])
def test_short_file_is_text(tmp_path: Path, content: bytes) -> None:
    """A file shorter than any magic number is read as it is."""
    (tmp_path / "a.jsonl").write_bytes(content)
    with open_source("a.jsonl", NO_STDIN) as source:
        assert source.stream.read() == content
        assert source.sha256 == hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize(
    ("content", "what"),
    [
        ('{"a":1}'.encode("utf-16"), "text in UTF-16"),
        ('{"a":1}'.encode("utf-16-be"), "text in UTF-16BE"),
        ('{"a":1}'.encode("utf-16-le"), "text in UTF-16LE"),
        ('{"a":1}'.encode("utf-32"), "text in UTF-32"),
        ('{"a":1}'.encode("utf-32-be"), "text in UTF-32BE"),
        ('{"a":1}'.encode("utf-32-le"), "text in UTF-32LE"),
        (b"\xfe\xff" + '{"a":1}'.encode("utf-16-be"), "text in UTF-16"),
        (b"\0\0\xfe\xff" + '{"a":1}'.encode("utf-32-be"), "text in UTF-32"),
        (gzip.compress('{"a":1}'.encode("utf-16")), "text in UTF-16"),
        (b"PK\x03\x04rest", "a zip archive"),
        (b"PAR1rest", "a parquet file"),
        (b"SQLite format 3\0rest", "an SQLite database"),
        (b"\x89PNG\r\n\x1a\nrest", "a PNG image"),
        (b"%PDF-1.7\n", "a PDF document"),
        (zstd(b"x" * 257 + b"ustar\0"), "a tar archive"),
        (b'{"a":1}\0', "a binary file"),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_binary_is_refused_by_name(tmp_path: Path, content: bytes, what: str) -> None:
    """A file that is no text in UTF-8 is refused before the run, with what it is and what to do."""
    (tmp_path / "a.jsonl").write_bytes(content)
    with pytest.raises(InputError, match=f'"a.jsonl" is {what}, not') as caught:
        open_source("a.jsonl", NO_STDIN)
    assert caught.value.help
    with pytest.raises(InputError, match=f'"-" is {what}'):
        open_source("-", io.BytesIO(content))


@pytest.mark.parametrize(("path", "words"), [("d", "is a directory"), ("none", "no such file or directory")])
def test_input_that_cannot_be_opened(tmp_path: Path, path: str, words: str) -> None:
    """A folder in the place of a file, or nothing, is an input error with help."""
    (tmp_path / "d").mkdir()
    with pytest.raises(InputError, match=f'cannot read "{path}": {words}') as caught:
        check_inputs([path])
    assert caught.value.help


def test_write_whole_replaces(tmp_path: Path) -> None:
    """The content is there under its name with the mode the umask gives, and nothing else is left."""
    old = os.umask(0o027)
    try:
        write_whole("report.json", b"one")
        write_whole("report.json", b"two")
    finally:
        os.umask(old)
    assert (tmp_path / "report.json").read_bytes() == b"two"
    assert (tmp_path / "report.json").stat().st_mode & 0o777 == 0o640
    assert os.listdir(tmp_path) == ["report.json"]


def test_outputs_follow_a_link(tmp_path: Path) -> None:
    """A link stays a link, and its target gets the content."""
    put(tmp_path, "d/real.json")
    (tmp_path / "link.json").symlink_to("d/real.json")
    write_whole("link.json", b"new")
    assert (tmp_path / "link.json").is_symlink()
    assert (tmp_path / "d/real.json").read_bytes() == b"new"
    check_writable("link.json", is_ours=lambda head: head == b"new")
    write_records("link.json", b"1\n", commit=True)
    assert (tmp_path / "link.json").is_symlink()
    assert (tmp_path / "d/real.json").read_bytes() == b"1\n"
    assert os.listdir(tmp_path / "d") == ["real.json"]


@needs_full_device
def test_full_disk_is_told() -> None:
    """A full disk is a storage error that names the file and a way out."""
    with pytest.raises(StorageError, match='cannot write "/dev/full": no space left on device') as caught:
        write_whole("/dev/full", b"x")
    assert caught.value.help == "free some space there, or name a path on another disk"


@needs_full_device
@pytest.mark.parametrize(("size", "commit"), [(2, True), (1_000_000, False)])
def test_full_disk_is_told_for_records(size: int, commit: bool) -> None:
    """Records that do not fit are a storage error, be it on write or on commit."""
    with pytest.raises(StorageError, match="no space left on device"):
        write_records("/dev/full", b"x" * size, commit=commit)


def test_failed_write_leaves_nothing_behind(tmp_path: Path) -> None:
    """When the rename fails, the old file is untouched and the temporary one is gone."""
    put(tmp_path, "d/a/x.jsonl")
    with pytest.raises(StorageError, match='cannot write "d/a"'):
        write_whole("d/a", b"new")
    with pytest.raises(StorageError, match="no such file or directory"):
        write_whole("none/a", b"new")
    assert os.listdir(tmp_path / "d") == ["a"]


def test_writable_paths_pass_the_check(tmp_path: Path) -> None:
    """A new name, an empty file, a file of ours and a device may be written; the check leaves no trace."""
    (tmp_path / "empty").touch()
    (tmp_path / "ours").write_bytes(b"ours" * 5000)
    seen: list[int] = []

    def is_ours(head: bytes) -> bool:
        seen.append(len(head))
        return head.startswith(b"ours")

    for path in ("new", "empty", "ours", "/dev/null", str(tmp_path / "new")):
        check_writable(path, is_ours=is_ours)
    assert seen == [4096]
    assert sorted(os.listdir(tmp_path)) == ["empty", "ours"]


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("d", 'cannot write "d": it is a folder'),
        ("none/a", 'cannot write "none/a": there is no folder "none"'),
        ("d/foreign", 'will not overwrite "d/foreign": it was not written by valueaudit'),
        ("/proc/valueaudit.json", 'cannot write "/proc/valueaudit.json": '),
    ],
)
def test_unwritable_paths_fail_the_check(tmp_path: Path, path: str, words: str) -> None:
    """What cannot be written, or must not be overwritten, is told before the run with what to do."""
    put(tmp_path, "d/foreign")
    with pytest.raises(OutputError, match=words) as caught:
        check_writable(path, is_ours=lambda head: False)
    assert caught.value.help


def test_records_appear_on_commit(tmp_path: Path) -> None:
    """Lines grow under a name of their own, which becomes PATH on commit."""
    with RecordsFile("r.jsonl") as records:
        records.write(b"1\n")
        assert "r.jsonl" not in os.listdir(tmp_path)
        records.write(b"2\n")
        records.commit()
    assert os.listdir(tmp_path) == ["r.jsonl"]
    assert (tmp_path / "r.jsonl").read_bytes() == b"1\n2\n"


def test_records_without_commit_stay_apart(tmp_path: Path) -> None:
    """Without a commit what was written vanishes, and an older PATH, or a file of a similar name, is untouched."""
    (tmp_path / "r.jsonl.part").write_bytes(b"somebody's\n")
    (tmp_path / "r.jsonl").write_bytes(b"old\n")
    write_records("r.jsonl", b"1\n", commit=False)
    assert (tmp_path / "r.jsonl").read_bytes() == b"old\n"
    assert sorted(os.listdir(tmp_path)) == ["r.jsonl", "r.jsonl.part"]
    assert (tmp_path / "r.jsonl.part").read_bytes() == b"somebody's\n"


def test_two_runs_may_write_the_same_records(tmp_path: Path) -> None:
    """Each writes whole lines of its own; the last to commit is what stays."""
    with RecordsFile("r.jsonl") as first, RecordsFile("r.jsonl") as second:
        first.write(b"1\n")
        second.write(b"2\n")
        first.commit()
        second.commit()
    assert (tmp_path / "r.jsonl").read_bytes() == b"2\n"


def test_records_into_a_device() -> None:
    """A device is written in place and still a device afterwards."""
    write_records("/dev/null", b"1\n", commit=True)
    write_whole("/dev/null", b"1\n")
    assert not Path("/dev/null").is_file()


def test_records_that_cannot_be_opened() -> None:
    """A records file in a folder that is gone is a storage error."""
    with pytest.raises(StorageError, match=r'cannot write "none/r\.jsonl"'):
        RecordsFile("none/r.jsonl")


def test_inflating_is_bounded() -> None:
    """A block of zeros that inflates a thousandfold comes in pieces, not at once."""
    packer = zlib.compressobj(wbits=31)
    packed = packer.compress(bytes(50_000_000)) + packer.flush()
    stream = unpack(Tap(io.BytesIO(packed).read))
    assert len(stream.read1(1_000_000_000)) < 20_000_000


def test_a_new_file_is_written_once(tmp_path: Path) -> None:
    """What is there already stays, whoever wrote it."""
    path = str(tmp_path / "new.yaml")
    write_new(path, b"first")
    with pytest.raises(OutputError, match="will not overwrite"):
        write_new(path, b"second")
    assert Path(path).read_bytes() == b"first"


def test_a_new_file_that_cannot_be_written_whole_is_no_file(tmp_path: Path) -> None:
    """A disk that is full, or anything else that breaks, leaves nothing behind."""
    path = str(tmp_path / "new.yaml")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, limits[1]))
    try:
        with pytest.raises(StorageError, match="cannot write"):
            write_new(path, b"x" * 1_000_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert not Path(path).exists()
    with pytest.raises(TypeError):
        write_new(path, "text")  # type: ignore[arg-type]
    assert not Path(path).exists()


def test_appending_keeps_what_is_there(tmp_path: Path) -> None:
    """Content is added at the end of a file, which need not be there before."""
    path = tmp_path / "summary.md"
    for part in (b"one\n", b"", b"two\n"):
        append_whole(str(path), part)
    assert path.read_bytes() == b"one\ntwo\n"


def test_appending_is_whole_or_not_at_all(tmp_path: Path) -> None:
    """Where the disk takes only a part, the file is as it was before, and the error says why."""
    path = tmp_path / "summary.md"
    path.write_bytes(b"x" * 1000)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1500, before[1]))
    try:
        with pytest.raises(StorageError, match=r"summary\.md"):
            append_whole(str(path), b"y" * 1000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert path.read_bytes() == b"x" * 1000


def test_what_a_run_left_behind_is_no_log(tmp_path: Path) -> None:
    """Records and reports of an earlier run that lie in a folder are not audited with it."""
    put(tmp_path, "d/a.jsonl")
    (tmp_path / "d/r.jsonl").write_text('{"kind":"header","schema_version":"1.0"}\n')
    (tmp_path / "d/valueaudit-report.json").write_text('{\n  "schema_version": "1.0"\n}\n')
    assert find_inputs(["d"]) == ("d/a.jsonl",)


def pack_zip(path: Path, members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> None:
    """A zip archive of these members."""
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def read_logs(path: str) -> dict[str, bytes]:
    """The content of each source at a path."""
    return {source.name: source.stream.read() for source in open_logs(path, NO_STDIN)}


def test_members_of_an_archive_are_sources(tmp_path: Path) -> None:
    """Logs in an archive of any name are read, packed again or not, whatever folder they name; other files are not."""
    members = {
        "d/a.jsonl": LINES,
        "b.json.gz": gzip.compress(b"[]"),
        "image.png": b"\x89PNG",
        "__MACOSX/d/._a.jsonl": bytes.fromhex("00051607 00020000"),
        "__MACOSX/a.jsonl": b"{}",
        ".h/a.json": b"[1]",
        "../a.json": b"[2]",
    }
    pack_zip(tmp_path / "export.dat", members)
    read = ("d/a.jsonl", "b.json.gz", "__MACOSX/a.jsonl", ".h/a.json", "../a.json")
    contents = (LINES, b"[]", b"{}", b"[1]", b"[2]")
    assert read_logs("export.dat") == {f"export.dat/{name}": text for name, text in zip(read, contents, strict=True)}


def test_a_member_is_counted_as_packed_and_hashed_as_it_is(tmp_path: Path) -> None:
    """The bytes read of a member are those that its reading took from the archive; the digest is over the member."""
    pack_zip(tmp_path / "a.zip", {"a.jsonl": LINES})
    for source in open_logs("a.zip", NO_STDIN):
        source.stream.read()
        assert source.bytes_read < len(LINES)
        assert source.sha256 == hashlib.sha256(LINES).hexdigest()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"PK\x03\x04rest", "the archive cannot be read"),
        (None, "no chat logs in the archive"),
    ],
)
def test_an_archive_without_logs_is_refused(tmp_path: Path, content: bytes | None, words: str) -> None:
    """An archive that is damaged, or holds nothing named like a log, ends the run before it begins."""
    if content is None:
        pack_zip(tmp_path / "a.zip", {"readme.txt": b"hello"})
    else:
        (tmp_path / "a.zip").write_bytes(content)
    with pytest.raises(InputError, match=words) as caught:
        check_inputs(["a.zip"])
    assert caught.value.help


def corrupt(path: Path, old: bytes, new: bytes) -> None:
    """Replaces bytes of a file, all of them."""
    path.write_bytes(path.read_bytes().replace(old, new))


def test_damage_in_a_member_is_told_where_it_is_read(tmp_path: Path) -> None:
    """A member whose bytes were changed gives its lines, then an error of reading, and the next member is read."""
    pack_zip(tmp_path / "a.zip", {"a.jsonl": LINES, "b.jsonl": b"{}\n"}, zipfile.ZIP_STORED)
    corrupt(tmp_path / "a.zip", b'{"n": 4999', b'{"n": 4998')
    (lines, damage), (rest, nothing) = [read_until_damage(source.stream) for source in open_logs("a.zip", NO_STDIN)]
    assert lines.startswith(b'{"n": 0')
    assert damage == "the archive is damaged here: Bad CRC-32 for file 'a.jsonl'"
    assert (rest, nothing) == (b"{}\n", "")


@pytest.mark.parametrize(
    ("offset", "value", "words"),
    [(6, 1, "it is encrypted"), (8, 93, "it is packed by method 93"), (14, 0, "the archive is damaged here")],
    ids=["encrypted", "method", "checksum"],
)
def test_a_member_that_cannot_be_opened_ends_the_run_early(tmp_path: Path, offset: int, value: int, words: str) -> None:
    """A member that is encrypted, damaged, or packed by an unknown method says so before anything is judged."""
    pack_zip(tmp_path / "a.zip", {"a.jsonl": b"{}"})
    raw = bytearray((tmp_path / "a.zip").read_bytes())
    central = raw.index(b"PK\x01\x02")
    raw[central + offset + 2] = raw[offset] = value
    (tmp_path / "a.zip").write_bytes(raw)
    with pytest.raises(InputError, match=f'cannot read "a.zip/a.jsonl": {words}'):
        check_inputs(["a.zip"])


def test_a_trap_is_not_unpacked_to_its_end(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What expands more than 500-fold beyond a size that is always allowed is told, in zip and gzip alike."""
    monkeypatch.setattr("valueaudit.unpack.ALWAYS_ALLOWED", 1_000_000)
    zeros = bytes(50_000_000)
    pack_zip(tmp_path / "a.zip", {"a.jsonl": zeros})
    with pytest.raises(InputError, match="expands more than 500-fold"):
        check_inputs(["a.zip"])
    content, damage = read_until_damage(unpack(Tap(io.BytesIO(gzip.compress(zeros)).read)))
    assert len(content) < 20_000_000
    assert "expands more than 500-fold" in damage


def test_parquet_needs_its_extra(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without the library a parquet file is refused with what to install; with it, it is opened as it is."""
    (tmp_path / "a.parquet").write_bytes(b"PAR1rest")
    assert read_logs("a.parquet") == {"a.parquet": b"PAR1rest"}
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(InputError, match="is a parquet file") as caught:
        check_inputs(["a.parquet"])
    assert caught.value.help == "install what reads it: pip install 'valueaudit[parquet]'"


def test_a_pipe_in_a_folder_is_not_waited_for(tmp_path: Path) -> None:
    """Nobody named it, and nobody may ever write into it."""
    (tmp_path / "a.jsonl").write_bytes(b"{}")
    os.mkfifo(tmp_path / "b.jsonl")
    assert find_inputs([str(tmp_path)]) == (str(tmp_path / "a.jsonl"),)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_members_of_one_name_are_told_apart(tmp_path: Path) -> None:
    """An archive may hold a name twice; each is a source of its own."""
    path = tmp_path / "logs.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("d/a.jsonl", "1")
        archive.writestr("d/a.jsonl", "2")
    read = [
        (opened.name.removeprefix(str(path)), opened.stream.read()) for opened in open_logs(str(path), io.BytesIO())
    ]
    assert read == [("/d/a.jsonl", b"1"), ("/(2) d/a.jsonl", b"2")]
