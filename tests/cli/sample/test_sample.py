"""The sample files are valid, small, and what their maker makes."""

import hashlib
import json
import shutil
import subprocess
import sys
import wave
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import soundfile
from PIL import Image

from sayso.sample import make, sample_files
from sayso.sample.errors import SampleChanged
from sayso.sample.flac import flac
from sayso.sample.images import bmp, gif, grey_tiff, png
from sayso.sample.jpeg import jpeg
from sayso.sample.picture import Picture
from sayso.sample.voices import speech
from sayso.sample.wav import mu_law_wav, pcm_wav

FILES = sorted(p for p in sample_files().rglob("*") if p.is_file())
PICTURES = {".jpg": "JPEG", ".png": "PNG", ".gif": "GIF", ".tif": "TIFF", ".bmp": "BMP"}
SOUNDS = {".wav", ".flac"}
TEXTS = {".jsonl", ".svg", ".csv"}


def having(*suffixes: str) -> list[Path]:
    return [path for path in FILES if path.suffix in suffixes]


def name(path: Path) -> str:
    return path.name


def test_there_are_enough_and_they_are_small() -> None:
    assert len(FILES) >= 40
    assert sum(path.stat().st_size for path in FILES) < 2 * 1024 * 1024
    assert {path.suffix for path in FILES} == {*PICTURES, *SOUNDS, *TEXTS}


def test_exactly_two_files_have_the_same_bytes() -> None:
    counts = Counter(hashlib.sha256(path.read_bytes()).digest() for path in FILES)
    assert sorted(counts.values(), reverse=True)[:2] == [2, 1]


@pytest.mark.parametrize("path", having(*PICTURES), ids=name)
def test_a_picture_opens_elsewhere(path: Path) -> None:
    with Image.open(path) as picture:
        picture.verify()
    with Image.open(path) as picture:
        picture.load()
        assert picture.format == PICTURES[path.suffix]
        colours = picture.convert("RGB").getcolors(1 << 24)
    assert colours is not None
    assert len(colours) > 8


@pytest.mark.parametrize("path", having(*SOUNDS), ids=name)
def test_a_sound_opens_elsewhere(path: Path) -> None:
    samples, rate = soundfile.read(path, always_2d=True)
    assert rate in {8_000, 16_000}
    assert samples.shape[1] == (2 if path.parent.name == "calls" else 1)
    assert 0.5 < len(samples) / rate < 10
    assert all(channel.max() > 0.2 for channel in samples.T)


@pytest.mark.parametrize("path", having(".jsonl"), ids=name)
def test_a_transcript_fits_its_recording(path: Path) -> None:
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    recording = soundfile.info(path.with_suffix(".wav"))
    samples, rate = soundfile.read(path.with_suffix(".wav"))
    assert lines[-1]["end_ms"] < 1000 * recording.frames / recording.samplerate
    for line in lines:
        heard = samples[line["start_ms"] * rate // 1000 : line["end_ms"] * rate // 1000]
        speaking = 0 if line["speaker"] == "caller" else 1
        assert abs(heard[:, speaking]).max() > 0.2
        assert abs(heard[:, 1 - speaking]).max() < 0.01


def test_the_other_texts_parse() -> None:
    for path in having(".svg"):
        assert ET.fromstring(path.read_text()).tag.endswith("svg")
    for path in having(".csv"):
        head, *rows = [line.split(",") for line in path.read_text().splitlines()]
        assert len(rows) == 120
        assert {len(row) for row in rows} == {len(head)}


def test_the_checked_in_files_are_what_the_maker_makes() -> None:
    command = [sys.executable, "-m", "sayso.sample.make", "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=200)
    assert (done.returncode, done.stderr) == (0, "")


def test_one_changed_missing_or_added_file_is_noticed(tmp_path: Path) -> None:
    folder = tmp_path / "files"
    shutil.copytree(sample_files(), folder)
    (folder / "drawings/doodle-01.svg").write_bytes(b"<svg/>")
    (folder / "drawings/doodle-02.svg").unlink()
    (folder / "extra.txt").write_bytes(b"")
    with pytest.raises(SampleChanged, match="3 sample files") as caught:
        make.check(folder)
    assert all(part in str(caught.value) for part in ("doodle-01", "doodle-02", "extra.txt"))


def test_making_writes_every_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(make, "catalogue", lambda: {"a/b/c.txt": lambda: b"one"})
    assert make.make(tmp_path) == 1
    assert (tmp_path / "a/b/c.txt").read_bytes() == b"one"
    assert make.check(tmp_path) == 1


@pytest.fixture
def picture() -> Picture:
    """Odd sizes, so that no row or block is full."""
    made = Picture(37, 21, (250, 10, 30), (0, 200, 90))
    made.ellipse(18, 10, 12, 7, (20, 30, 240))
    made.rectangle(-3, 15, 10, 50, (255, 255, 255))
    return made


def decoded(path: Path, data: bytes) -> Image.Image:
    path.write_bytes(data)
    with Image.open(path) as image:
        image.load()
        return image.convert("RGB")


@pytest.mark.parametrize("encode", [png, bmp])
def test_lossless_pictures_come_back_exactly(
    encode: Callable[[Picture], bytes], picture: Picture, tmp_path: Path
) -> None:
    assert decoded(tmp_path / "p", encode(picture)).tobytes() == bytes(picture.rgb)


def test_jpeg_comes_back_as_near_as_from_another_encoder(picture: Picture, tmp_path: Path) -> None:
    image = decoded(tmp_path / "ours.jpg", jpeg(picture))
    assert image.size == (picture.width, picture.height)
    original = Image.frombytes("RGB", image.size, bytes(picture.rgb))
    original.save(tmp_path / "other.jpg", quality=75, subsampling=0)
    other = decoded(tmp_path / "again.jpg", (tmp_path / "other.jpg").read_bytes())

    def error(of: Image.Image) -> int:
        return sum(abs(a - b) for a, b in zip(of.tobytes(), picture.rgb, strict=True))

    assert 0 < error(image) <= error(other)


def test_tiff_is_the_grey_of_the_picture(picture: Picture, tmp_path: Path) -> None:
    image = decoded(tmp_path / "p.tif", grey_tiff(picture))
    red, green, blue = picture.at(5, 6)
    assert image.getpixel((5, 6)) == ((red + 2 * green + blue) // 4,) * 3


def test_gif_keeps_every_frame_and_the_nearest_colours(picture: Picture, tmp_path: Path) -> None:
    other = Picture(37, 21, (0, 0, 0), (0, 0, 0))
    path = tmp_path / "p.gif"
    image = decoded(path, gif([picture, other], 10))
    quarters = bytes(value // 64 * 85 for value in picture.rgb)
    assert image.tobytes() == quarters
    with Image.open(path) as again:
        assert getattr(again, "n_frames", 1) == 2
        again.seek(1)
        assert set(again.convert("RGB").tobytes()) == {0}


def test_flac_and_pcm_come_back_exactly(tmp_path: Path) -> None:
    samples = speech(7, 400, 16_000)
    extremes = [32_767, -32_768] * 40
    for number, wanted in enumerate((samples, extremes, [5] * 15)):
        for encoded in (flac(wanted, 16_000), pcm_wav([wanted], 16_000)):
            path = tmp_path / f"{number}.sound"
            path.write_bytes(encoded)
            read, _ = soundfile.read(path, dtype="int16")
            assert read.tolist() == wanted


def test_wav_opens_with_the_standard_library(tmp_path: Path) -> None:
    path = tmp_path / "w.wav"
    path.write_bytes(pcm_wav([[1, 2, 3], [-1, -2, -3]], 8_000))
    with wave.open(str(path)) as read:
        assert (read.getnchannels(), read.getframerate(), read.getnframes()) == (2, 8_000, 3)


def test_mu_law_is_that_of_telephones(tmp_path: Path) -> None:
    wanted = [0, 1, -1, 100, -100, 1_000, -1_000, 20_000, -20_000, 32_767, -32_768]
    path = tmp_path / "m.wav"
    path.write_bytes(mu_law_wav([wanted], 8_000))
    assert soundfile.info(path).subtype == "ULAW"
    read, _ = soundfile.read(path, dtype="int16")
    for sample, back in zip(wanted, read.tolist(), strict=True):
        assert abs(back - sample) <= max(8, abs(sample) // 16)
