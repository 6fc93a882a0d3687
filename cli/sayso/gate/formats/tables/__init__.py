"""Tables: Parquet, Arrow files and Hugging Face datasets, whose other columns are kept as they are."""
