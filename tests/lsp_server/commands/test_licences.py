# ruff: noqa: E501  (a row of data is a line)
"""`truepenny licences` as a person types it, up to what the guard then says."""

from __future__ import annotations

import hashlib
import json
import zipfile
from pathlib import Path

import pytest

from truepenny.guard.licence.sources import building, packages
from truepenny.guard.licence.sources.apt import Apt, source_entries
from truepenny.guard.licence.sources.errors import FetchError, ListError, SourceError
from truepenny.guard.licence.sources.fetch import Fetcher
from truepenny.guard.licence.sources.index_pages import IndexPages
from truepenny.guard.licence.sources.packages import Package
from truepenny.guard.verdict import Action, Passage
from truepenny.lsp_server.cli import main
from truepenny.lsp_server.commands.licences import shelf

BLOCK = '''\
def settle(ledger, entries, *, rate, floor=0):
    """Carry every open entry over to the ledger's next page."""
    carried = []
    for number, entry in enumerate(entries):
        if entry.closed or entry.amount <= floor:
            continue
        interest = entry.amount * rate / (1 + number)
        page = ledger.page_of(entry.account, create=True)
        if page.sealed:
            raise LedgerError(f"page {page.number} of {entry.account} is sealed")
        page.lines.append((entry.date, entry.amount + interest, "carried over"))
        entry.close(reason="carried", by=ledger.keeper)
        carried.append(page.number)
    ledger.balance = sum(line[1] for page in ledger.pages for line in page.lines)
    ledger.history.extend(sorted(set(carried)))
    return carried
'''
NOTICE = (
    "# This program is free software: under the terms of version 3 of the GNU General Public License.\n\n"
)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TRUEPENNY_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def theirs(tmp_path: Path) -> Path:
    folder = tmp_path / "theirs" / "books"
    folder.mkdir(parents=True)
    (folder / "ledger.py").write_text(NOTICE + BLOCK)
    return tmp_path / "theirs"


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict, str]:
    status = main(["licences", *arguments, "--json"])
    told = capsys.readouterr()
    return status, json.loads(told.out.splitlines()[-1]), told.err


def judged() -> list:
    from truepenny.guard.licence.check import LicenceCheck

    check = LicenceCheck.open(shelf().paths())
    try:
        return list(check.judge(Passage("", BLOCK, "", "python")))
    finally:
        check.close()


def test_added_code_is_withheld_until_it_is_removed(theirs: Path, capsys):
    assert judged() == []
    status, told, _ = run(capsys, "add", str(theirs))
    assert (status, told["failed"]) == (0, 0)
    [added] = told["added"]
    assert (added["name"], added["files"], added["lines"]) == ("theirs", 1, 18)
    assert added["licences"] == {"GPL-3.0-only": 1}
    [verdict] = judged()
    assert verdict.action >= Action.TRIM
    assert verdict.licence == "GPL-3.0-only"
    assert "books/ledger.py" in verdict.evidence
    status, told, _ = run(capsys, "remove", "theirs")
    assert (status, list(told["removed"])) == (0, ["theirs"])
    assert judged() == []


def test_list_names_what_is_there(theirs: Path, capsys):
    run(capsys, "add", str(theirs), "--name", "Old.Books")
    _, told, _ = run(capsys, "list")
    [ours] = [one for one in told["sources"] if one["name"] == "old-books"]
    assert ours["projects"] == [{"name": "Old.Books", "version": ""}]
    assert {"path", "files", "lines", "bytes", "licences"} <= ours.keys()


def test_a_damaged_index_is_named_and_the_others_are_listed(theirs: Path, capsys):
    run(capsys, "add", str(theirs))
    shelf().path_of("other").write_bytes(b"not an index")
    status, told, complaint = run(capsys, "list")
    assert status == 1
    assert "theirs" in [one["name"] for one in told["sources"]]
    assert "other.tplx" in complaint


def test_one_bad_source_does_not_keep_the_others_out(theirs: Path, tmp_path: Path, capsys):
    (tmp_path / "cut.zip").write_bytes(b"PK")
    status, told, complaint = run(capsys, "add", str(tmp_path / "cut.zip"), str(theirs))
    assert (status, told["failed"], [one["name"] for one in told["added"]]) == (2, 1, ["theirs"])
    assert "cut.zip is not a whole archive" in complaint


def test_a_source_without_code_leaves_the_older_index(theirs: Path, tmp_path: Path, capsys):
    run(capsys, "add", str(theirs))
    (tmp_path / "empty").mkdir()
    status, _, complaint = run(capsys, "add", str(tmp_path / "empty"), "--name", "theirs")
    assert status == 2
    assert "no source code" in complaint
    assert len(judged()) == 1


def test_removing_what_is_not_there_says_what_is(theirs: Path, capsys):
    run(capsys, "add", str(theirs))
    status, _, complaint = run(capsys, "remove", "thiers")
    assert status == 2
    assert "thiers: there are theirs" in complaint


class Silent:
    def start(self, total_bytes: int, what: str) -> None: ...

    def advance(self, done_bytes: int) -> None: ...


def wheel(folder: Path, name: str) -> Package:
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}-1-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(zipfile.ZipInfo(f"{name}/a.py"), NOTICE + BLOCK.replace("settle", name))
    data = path.read_bytes()
    return Package("wheel", name, "1", path.name, hashlib.sha256(data).hexdigest(), "GPL-3.0-only", len(data))


def no_pip(package: Package, folder: Path) -> None:
    raise FetchError(f"pip could not download {package.name}")


def test_a_build_goes_on_with_what_is_there_and_names_what_is_not(tmp_path: Path):
    here, gone = wheel(tmp_path / "got", "ab"), wheel(tmp_path / "elsewhere", "cd")
    fetcher = Fetcher(tmp_path / "got", run_pip=no_pip)
    target = tmp_path / "x.tplx"
    built = building.build([here, gone], fetcher, target, Silent())
    assert (built.stats.projects, [name for name, _ in built.missing]) == (1, ["cd"])
    first = target.read_bytes()
    with pytest.raises(FetchError):
        building.build([here, gone], fetcher, target, Silent(), strict=True)
    building.build([here], fetcher, target, Silent(), strict=True)
    assert target.read_bytes() == first, "the same packages give the same bytes"
    with pytest.raises(SourceError, match="no package could be fetched"):
        building.build([gone], fetcher, target, Silent())
    assert target.read_bytes() == first


def test_another_file_than_the_list_says_is_refused(tmp_path: Path):
    package = wheel(tmp_path / "got", "ab")
    (tmp_path / "got" / package.file).write_bytes(b"other")
    with pytest.raises(FetchError, match=r"ab-1-py3-none-any\.whl has sha256"):
        Fetcher(tmp_path / "got", run_pip=lambda *_: None).fetch(package)


def test_a_source_distribution_comes_from_the_index_page(tmp_path: Path):
    """Its folder of setup code is a file like any other: nothing is run."""
    data = wheel(tmp_path / "files", "ab")
    page = tmp_path / "simple" / "ab"
    page.mkdir(parents=True)
    (page / "index.html").write_text(f'<a href="../../files/{data.file}#sha256=0">{data.file}</a>')
    sdist = Package("sdist", "ab", "1", data.file, data.sha256, "GPL-3.0-only", data.bytes)
    pages = IndexPages(((tmp_path / "simple").as_uri(),))
    assert Fetcher(tmp_path / "got", pages=pages).fetch(sdist).name == data.file
    with pytest.raises(FetchError, match=r"other\.tar\.gz could not be had: the index does not have it"):
        pages.fetch(Package("sdist", "ab", "1", "other.tar.gz", "0" * 64, "x", 1), tmp_path / "o")


def test_without_apt_debian_sources_are_left_out(tmp_path: Path):
    package = Package("debian", "sed", "1", "sed_1.dsc", "0" * 64, "GPL-3.0-or-later", 1)
    apt = Apt(tmp_path / "apt", program="no-such-program")
    with pytest.raises(FetchError, match="no apt-get here"):
        Fetcher(tmp_path / "got", apt=apt).fetch(package)


def test_the_machines_own_archives_are_asked_for_sources(tmp_path: Path):
    """Other publishers' are not."""
    (tmp_path / "a.sources").write_text(
        "Types: deb\nURIs: http://deb.example.org/debian\nSuites: s s-updates\nComponents: main\n"
        "Signed-By: /k.gpg\n\nTypes: deb\nURIs: https://example.org/node\nSuites: x\nComponents: main\n"
    )
    (tmp_path / "b.list").write_text(
        "# deb http://a/debian s main\ndeb [signed-by=/u.gpg] http://a/ubuntu s main universe\n"
    )
    assert source_entries((tmp_path,)).split("\n\n") == [
        "Types: deb-src\nURIs: http://deb.example.org/debian\nSuites: s s-updates\nComponents: main\nSigned-By: /k.gpg",
        "Types: deb-src\nURIs: http://a/ubuntu\nSuites: s\nComponents: main universe\nSigned-By: /u.gpg\n",
    ]


GOOD = {
    "kind": "wheel",
    "name": "a",
    "version": "1",
    "file": "a.whl",
    "sha256": "0" * 64,
    "licence": "MIT",
    "bytes": 1,
}
MISTAKES = [
    ("{", "cannot be read"),
    ("[]", "no list of packages"),
    ({"kind": "egg"}, "kind 'egg' is not known: use wheel"),
    ({"sha256": "12"}, "sha256 '12' is not 64"),
    ({"file": "../a.whl"}, "is not a plain file name"),
    ({"name": "--index-url=x"}, "has signs"),
    ({"bytes": "many"}, "'bytes' is 'many'"),
    ({"only": "src"}, "'only' is not a list"),
    ({"hash": "x"}, "'hash' is not a key"),
    ({"licence": ""}, "'licence' is missing"),
]


@pytest.mark.parametrize(("change", "complaint"), MISTAKES)
def test_a_mistake_in_a_list_is_named(change, complaint: str, tmp_path: Path):
    path = tmp_path / "list.json"
    path.write_text(change if isinstance(change, str) else json.dumps({"packages": [GOOD | change]}))
    with pytest.raises(ListError, match=r"list\.json") as caught:
        packages.load(path)
    assert complaint in str(caught.value)


def test_the_lists_that_ship_are_sound():
    """Every package once, all copyleft."""
    for path in (packages.SEED_LIST, packages.BUILD_LIST):
        listed = packages.load(path)
        assert len({one.name for one in listed}) == len(listed) >= 25
        assert all("GPL" in one.licence for one in listed)


def test_the_seed_is_small_and_speaks_six_languages(capsys):
    assert packages.SEED_INDEX.stat().st_size <= building.MAX_SEED_BYTES
    status, told, _ = run(capsys, "list")
    [seed] = told["sources"]
    assert (status, seed["name"]) == (0, "seed")
    assert len(seed["projects"]) == len(packages.load(packages.SEED_LIST))
    from truepenny.guard.licence.index import LicenceIndex

    suffixes = {Path(one.path).suffix for one in LicenceIndex.open(packages.SEED_INDEX).files()}
    assert {".py", ".c", ".cpp", ".js", ".java", ".php"} <= suffixes
