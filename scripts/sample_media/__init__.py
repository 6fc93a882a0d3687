"""Makes the sample files that sayso ships. Pillow writes the pictures, soundfile the sounds.

    PYTHONPATH=scripts .venv/bin/python -m sample_media [FOLDER]

writes all of them anew, by default over those in `cli/sayso/sample/files`. They are checked in, because
other releases of Pillow and libsndfile write other bytes. The tests hold them to the catalogue.
"""
