"""The sample files that are shipped, and those that the maker makes now, are what the catalogue says."""

import hashlib
import json
import os
import subprocess
import sys
from importlib import resources
from itertools import pairwise
from pathlib import Path
from typing import TypeVar
from xml.etree import ElementTree as ET

import pytest
import soundfile
from PIL import Image, ImageSequence

from sample_media.catalogue import CATALOGUE, COPY, ORIGINAL
from sample_media.files import FRAME_MS, Call, Picture, Recording, Text
from sample_media.texts import SPEAKERS
from sayso.errors import SampleMissing
from sayso.sample import sample_files

SCRIPTS = Path(__file__).parents[3] / "scripts"
FORMATS = {".jpg": "JPEG", ".png": "PNG", ".gif": "GIF", ".tif": "TIFF", ".bmp": "BMP"}
CONTAINERS = {".wav": "WAV", ".flac": "FLAC"}

Kind = TypeVar("Kind")


def of_kind(kind: type[Kind]) -> dict[str, Kind]:
    return {name: file for name, file in CATALOGUE.items() if isinstance(file, kind)}


PICTURES, TEXTS = of_kind(Picture), of_kind(Text)
RECORDINGS, CALLS = of_kind(Recording), of_kind(Call)
SOUNDS = RECORDINGS | CALLS


@pytest.fixture(scope="module", params=["shipped", "made"])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    if request.param == "shipped":
        return sample_files()
    made = tmp_path_factory.mktemp("made")
    command = [sys.executable, "-m", "sample_media", str(made)]
    subprocess.run(command, check=True, timeout=200, env=os.environ | {"PYTHONPATH": str(SCRIPTS)})
    return made


def test_the_files_are_those_of_the_catalogue(folder: Path) -> None:
    present = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert present == CATALOGUE.keys()
    assert len(present) == 45
    assert sum((folder / name).stat().st_size for name in present) < 1024 * 1024


def test_exactly_two_files_have_the_same_bytes(folder: Path) -> None:
    hashes = {name: hashlib.sha256((folder / name).read_bytes()).digest() for name in CATALOGUE}
    assert hashes[COPY] == hashes[ORIGINAL]
    assert len(set(hashes.values())) == len(CATALOGUE) - 1


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_is_of_its_format_and_size(folder: Path, name: str) -> None:
    wanted = PICTURES[name]
    with Image.open(folder / name) as image:
        assert (image.format, image.size) == (FORMATS[Path(name).suffix], wanted.size)
        assert (image.mode == "L") == wanted.grey
        frames = [frame.convert("RGB") for frame in ImageSequence.Iterator(image)]
    assert len(frames) == len(wanted.frames)
    for frame in frames:
        colours = frame.getcolors(1 << 24)
        assert colours is not None
        assert len(colours) > 8


@pytest.mark.parametrize("name", [name for name in PICTURES if name.endswith(".gif")])
def test_an_animation_moves_for_ever(folder: Path, name: str) -> None:
    with Image.open(folder / name) as image:
        assert image.info["loop"] == 0
        shown = [(frame.tobytes(), frame.info["duration"]) for frame in ImageSequence.Iterator(image)]
    assert [duration for _, duration in shown] == [FRAME_MS] * len(PICTURES[name].frames)
    assert all(now != then for (then, _), (now, _) in pairwise(shown))


@pytest.mark.parametrize("name", SOUNDS)
def test_a_sound_is_of_its_format_and_length(folder: Path, name: str) -> None:
    wanted, found = SOUNDS[name], soundfile.info(folder / name)
    assert (found.format, found.subtype) == (CONTAINERS[Path(name).suffix], wanted.encoding)
    assert (found.channels, found.samplerate) == (wanted.channels, wanted.rate)
    assert found.frames == wanted.milliseconds * wanted.rate // 1000
    samples, _ = soundfile.read(folder / name, always_2d=True)
    assert all(0.2 < abs(channel).max() < 1 for channel in samples.T)


@pytest.mark.parametrize("name", CALLS)
def test_a_transcript_fits_its_recording(folder: Path, name: str) -> None:
    samples, rate = soundfile.read(folder / name)
    transcript = (folder / name).with_suffix(".jsonl").read_text().splitlines()
    assert len(transcript) == len(CALLS[name].lines)
    for line in map(json.loads, transcript):
        heard = samples[line["start_ms"] * rate // 1000 : line["end_ms"] * rate // 1000]
        speaking = SPEAKERS.index(line["speaker"])
        assert abs(heard[:, speaking]).max() > 0.2
        assert abs(heard[:, 1 - speaking]).max() < 0.01


def test_the_texts_are_what_the_maker_makes_and_parse(folder: Path) -> None:
    for name, text in TEXTS.items():
        assert (folder / name).read_text() == text.content
        if name.endswith(".svg"):
            assert ET.fromstring(text.content).tag.endswith("svg")
        elif name.endswith(".csv"):
            head, *rows = [line.split(",") for line in text.content.splitlines()]
            assert len(rows) == 120
            assert {len(row) for row in rows} == {len(head)}


def test_missing_files_are_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resources, "files", lambda _: tmp_path)
    with pytest.raises(SampleMissing):
        sample_files()
