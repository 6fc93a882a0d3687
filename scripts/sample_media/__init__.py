"""Generator of the sample files of sayso. Pillow writes the pictures, soundfile the sounds.

    PYTHONPATH=scripts .venv/bin/python -m sample_media [FOLDER]

writes all files, by default into `cli/sayso/sample/files`. The files are committed, because other
releases of Pillow and libsndfile write other bytes. The tests compare them with the catalogue.
"""
